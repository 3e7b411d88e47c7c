-- Let go the oldest vectors, of all models, that make the kept ones more than so many bytes.
DELETE FROM aya.embedding_cache
USING (
    SELECT model_id, text_key, sum(octet_length(vector)) OVER (ORDER BY kept_at DESC, model_id, text_key) AS total_bytes
    FROM aya.embedding_cache
) one
WHERE one.total_bytes > %(limit_bytes)s
    AND embedding_cache.model_id = one.model_id AND embedding_cache.text_key = one.text_key
