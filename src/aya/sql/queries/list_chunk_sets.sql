-- The sets of passages with their models; the one that is searched first.
SELECT s.id, s.model_id, m.name AS model_name, s.dimensions, s.is_active, s.index_method, s.lists
FROM aya.chunk_sets s
LEFT JOIN aya.embedding_models m ON m.id = s.model_id
ORDER BY s.is_active DESC, s.id
