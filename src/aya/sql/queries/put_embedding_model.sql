-- The number of a model, known from now on. Nothing is written for one that is known already.
WITH made AS (
    INSERT INTO aya.embedding_models
        (name, revision, weights_sha256, dimensions, max_tokens, pooling, query_prefix, passage_prefix)
    SELECT %(name)s, %(revision)s, %(weights_sha256)s, %(dimensions)s, %(max_tokens)s, %(pooling)s, %(query_prefix)s,
        %(passage_prefix)s
    WHERE NOT EXISTS (
        SELECT FROM aya.embedding_models
        WHERE (name, revision, weights_sha256, dimensions, max_tokens, pooling, query_prefix, passage_prefix)
            = (%(name)s, %(revision)s, %(weights_sha256)s, %(dimensions)s, %(max_tokens)s, %(pooling)s, %(query_prefix)s,
                %(passage_prefix)s)
    )
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT id FROM made
UNION ALL
SELECT id FROM aya.embedding_models
WHERE (name, revision, weights_sha256, dimensions, max_tokens, pooling, query_prefix, passage_prefix)
    = (%(name)s, %(revision)s, %(weights_sha256)s, %(dimensions)s, %(max_tokens)s, %(pooling)s, %(query_prefix)s,
        %(passage_prefix)s)
