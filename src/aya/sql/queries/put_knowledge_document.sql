-- Write a document as it is now, found again by its source; nothing is written where nothing differs.
WITH given AS (
    SELECT * FROM jsonb_to_record(%(document)s::jsonb) AS d (
        source text, content text, title text, format text, category text, node_name text, root text, source_hash text, modified_at timestamptz,
        metadata jsonb
    )
), made AS (
    INSERT INTO documents AS o (source, content, title, format, category, node_name, root, source_hash, modified_at, metadata)
    SELECT g.source, g.content, g.title, g.format, g.category, g.node_name, g.root, g.source_hash, g.modified_at, g.metadata FROM given g
    ON CONFLICT (source) DO UPDATE SET content = excluded.content, title = excluded.title, format = excluded.format, category = excluded.category,
        node_name = excluded.node_name, root = excluded.root, source_hash = excluded.source_hash, modified_at = excluded.modified_at,
        metadata = excluded.metadata
    WHERE (o.content, o.title, o.format, o.category, o.node_name, o.root, o.source_hash, o.modified_at, o.metadata) IS DISTINCT FROM
        (excluded.content, excluded.title, excluded.format, excluded.category, excluded.node_name, excluded.root, excluded.source_hash,
            excluded.modified_at, excluded.metadata)
    RETURNING o.id, o.content_hash
)
SELECT id, content_hash FROM made
UNION ALL
SELECT d.id, d.content_hash FROM documents d JOIN given g ON g.source = d.source WHERE NOT EXISTS (SELECT FROM made)
