-- What is known of the documents whose source begins so, and whether a set has the passages of what they are now.
SELECT d.source, d.source_hash, d.category, d.root, coalesce(k.content_hash = d.content_hash, false) AS is_cut
FROM documents d
LEFT JOIN aya.chunked_documents k ON k.document_id = d.id AND k.set_id = %(set)s
WHERE starts_with(d.source, %(beginning)s)
