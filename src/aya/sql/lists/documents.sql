-- Documents of the knowledge base, without their text.
-- path: /documents
-- order: source, id
SELECT d.id, d.title, d.source, d.category, d.node_name, d.format, d.metadata, d.source_hash, d.root, d.modified_at, d.created_at
FROM documents d
WHERE %(nodes)s::text[] IS NULL OR d.node_name = ANY (%(nodes)s)
