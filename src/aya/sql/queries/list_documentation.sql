-- The latest version of every document, and how many versions there are of each.
SELECT d.id, d.file_path, d.node_name, d.category, d.description, d.file_size_bytes, d.file_hash, v.versions, d.secret_lines, d.sync_status,
    d.missing_since, d.text_problem, d.updated_at
FROM documentation_files d
CROSS JOIN LATERAL (
    SELECT count(*)::int AS versions
    FROM documentation_files o
    WHERE o.file_path = d.file_path AND o.node_name IS NOT DISTINCT FROM d.node_name
) v
WHERE d.is_latest IS NOT FALSE AND (%(category)s::text IS NULL OR d.category = %(category)s)
ORDER BY d.file_path, d.id
