-- The models that vectors were made with, the oldest first.
SELECT id, name, revision, dimensions, max_tokens, pooling, query_prefix, passage_prefix,
    encode(weights_sha256, 'hex') AS weights_sha256, first_used_at
FROM aya.embedding_models
ORDER BY id
