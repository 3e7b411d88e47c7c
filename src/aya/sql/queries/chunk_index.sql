-- The index of the vectors of a set.
SELECT i.relname AS name, a.amname AS method, x.indisvalid AS is_valid, pg_relation_size(i.oid) AS size_bytes,
    (SELECT split_part(o, '=', 2)::integer FROM unnest(i.reloptions) AS o WHERE o LIKE 'lists=%%') AS lists
FROM pg_class i
JOIN pg_index x ON x.indexrelid = i.oid
JOIN pg_am a ON a.oid = i.relam
WHERE i.relname = 'idx_chunks_vectors_' || %(set)s::integer AND x.indrelid = 'chunks'::regclass
