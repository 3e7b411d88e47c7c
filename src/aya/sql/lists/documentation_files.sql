-- Documents, without their text.
-- path: /documentation_files
-- order: file_path, id
SELECT d.id, d.file_name, d.file_path, d.file_size_bytes, d.file_hash, d.category, d.description, d.sync_locations, d.sync_status, d.is_latest, d.node_name,
    d.missing_since, d.secret_lines, d.text_problem, d.created_at,
    d.updated_at
FROM documentation_files d
WHERE %(nodes)s::text[] IS NULL
