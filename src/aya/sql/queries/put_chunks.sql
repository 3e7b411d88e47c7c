-- The passages of a document in a set as they are now: those with a number stay, with their vector, the others are new.
WITH given AS (
    SELECT * FROM jsonb_to_recordset(%(chunks)s::jsonb) AS c (
        id bigint, chunk_index integer, heading text, start_offset integer, end_offset integer, chunk_text text, embedding text, text_hash text
    )
), gone AS (
    DELETE FROM chunks o
    WHERE o.document_id = %(document)s AND o.set_id = %(set)s AND NOT EXISTS (SELECT FROM given g WHERE g.id = o.id)
), moved AS (
    UPDATE chunks o
    SET chunk_index = g.chunk_index, heading = g.heading, start_offset = g.start_offset, end_offset = g.end_offset
    FROM given g
    WHERE o.id = g.id AND (o.chunk_index, o.heading, o.start_offset, o.end_offset)
        IS DISTINCT FROM (g.chunk_index, g.heading, g.start_offset, g.end_offset)
), made AS (
    INSERT INTO chunks (document_id, set_id, chunk_index, heading, start_offset, end_offset, chunk_text, embedding, text_hash)
    SELECT %(document)s, %(set)s, g.chunk_index, g.heading, g.start_offset, g.end_offset, g.chunk_text, g.embedding::halfvec,
        decode(g.text_hash, 'hex')
    FROM given g
    WHERE g.id IS NULL
)
INSERT INTO aya.chunked_documents (set_id, document_id, content_hash) VALUES (%(set)s, %(document)s, %(content_hash)s)
ON CONFLICT (document_id, set_id) DO UPDATE SET content_hash = excluded.content_hash
RETURNING document_id
