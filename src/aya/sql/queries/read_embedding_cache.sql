-- The vectors that were kept of a model, the newest first, as far as they fit into so many bytes.
SELECT text_key, vector, tokens, parts
FROM (
    SELECT text_key, vector, tokens, parts, kept_at, sum(octet_length(vector)) OVER (ORDER BY kept_at DESC, text_key) AS total_bytes
    FROM aya.embedding_cache
    WHERE model_id = %(model_id)s
) one
WHERE total_bytes <= %(limit_bytes)s
ORDER BY kept_at DESC, text_key
