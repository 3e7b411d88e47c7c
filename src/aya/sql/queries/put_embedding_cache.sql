-- Keep vectors; one that is kept already stays as it is.
INSERT INTO aya.embedding_cache (model_id, text_key, vector, tokens, parts)
SELECT %(model_id)s, one.*
FROM unnest(%(keys)s::bytea[], %(vectors)s::bytea[], %(tokens)s::integer[], %(parts)s::integer[]) AS one
ON CONFLICT DO NOTHING
