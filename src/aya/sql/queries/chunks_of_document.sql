-- The passages of a document in a set, without their texts.
SELECT c.id, encode(c.text_hash, 'hex') AS text_hash, c.chunk_index FROM chunks c
WHERE c.document_id = %(document)s AND c.set_id = %(set)s
ORDER BY c.chunk_index, c.id
