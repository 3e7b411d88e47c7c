-- Vectors that a set has of these texts already.
SELECT DISTINCT ON (c.text_hash) encode(c.text_hash, 'hex') AS text_hash, c.embedding::text AS embedding
FROM chunks c
WHERE c.set_id = %(set)s AND c.text_hash = ANY (ARRAY(SELECT decode(h, 'hex') FROM unnest(%(hashes)s::text[]) AS h)) AND c.embedding IS NOT NULL
