-- The latest version of each document of documentation_files whose text is kept, as a document of the knowledge base.
SELECT DISTINCT ON (source)
    'documentation:' || d.file_path AS source, d.content, coalesce(nullif(d.description, ''), d.file_name) AS title,
    CASE WHEN d.file_name ~* '\.(md|markdown)$' THEN 'markdown' ELSE 'text' END AS format, 'documentation' AS category, d.node_name,
    NULL::text AS root, encode(sha256(convert_to(concat_ws(E'\n', d.file_name, d.description, d.category, d.node_name, d.content), 'UTF8')), 'hex')
        AS source_hash,
    d.created_at AS modified_at, jsonb_build_object('number', d.id, 'category', d.category) AS metadata
FROM documentation_files d
WHERE d.is_latest IS NOT FALSE AND d.content IS NOT NULL
ORDER BY source, d.id DESC
