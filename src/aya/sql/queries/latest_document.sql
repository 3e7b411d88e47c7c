-- The latest version of a file that is recorded.
SELECT d.id, d.file_name, d.file_path, d.file_size_bytes, d.file_hash, d.category, d.description, d.content, d.sync_locations, d.sync_status,
    d.secret_lines, d.text_problem, d.missing_since, d.node_name
FROM documentation_files d
WHERE d.is_latest AND d.node_name = %(node)s AND d.file_path = %(path)s
