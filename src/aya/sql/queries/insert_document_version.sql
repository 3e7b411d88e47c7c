-- Add a version of a file as the latest; the one before (NULL: there is none) stays, and is no longer the latest.
WITH before AS (
    UPDATE documentation_files SET is_latest = false, updated_at = now() WHERE id = %(id)s RETURNING id
)
INSERT INTO documentation_files (file_name, file_path, file_size_bytes, file_hash, category, description, content, sync_locations, sync_status,
    secret_lines, text_problem, node_name)
SELECT d.file_name, d.file_path, d.file_size_bytes, d.file_hash, d.category, d.description, d.content, d.sync_locations, d.sync_status,
    d.secret_lines, d.text_problem, d.node_name
FROM jsonb_populate_record(NULL::documentation_files, %(document)s::jsonb) d
LEFT JOIN before ON true  -- so that it is done first: two latest versions are refused
RETURNING id
