-- Documents of which a set lacks the passages, or has those of what they were before.
SELECT d.id, d.source, d.content, d.content_hash, d.title, d.format, d.category, d.node_name, d.root, d.source_hash, d.modified_at, d.metadata
FROM documents d
LEFT JOIN aya.chunked_documents k ON k.document_id = d.id AND k.set_id = %(set)s
WHERE k.content_hash IS DISTINCT FROM d.content_hash AND d.id > %(after)s
ORDER BY d.id
LIMIT 50
