-- A version of a document and the number of the one before; or that of another version.
SELECT d.id, d.file_path, d.file_hash, d.content, d.text_problem, d.created_at, (
        SELECT max(o.id)
        FROM documentation_files o
        WHERE o.file_path = d.file_path AND o.node_name IS NOT DISTINCT FROM d.node_name AND o.id < d.id
    ) AS previous
FROM documentation_files d
WHERE d.id = %(number)s
