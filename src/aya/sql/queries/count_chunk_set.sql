-- Of how many documents a set has the passages as they are now, and how many passages there are.
SELECT (
        SELECT count(*) FROM aya.chunked_documents k JOIN documents d ON d.id = k.document_id AND d.content_hash = k.content_hash
        WHERE k.set_id = %(set)s
    ) AS documents,
    (SELECT count(*) FROM chunks c WHERE c.set_id = %(set)s) AS passages
