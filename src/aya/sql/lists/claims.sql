-- What imported documents say, line by line, with the verdict on it: confirmed, contradicted or unverifiable, and why.
-- for agents
-- path: /claims
-- path: /nodes/{node}/claims
-- command: claims
-- column node: The node it is about; NULL: none in particular.
-- order: document, line, ordinal
SELECT c.document, c.line, coalesce(n.node_name, c.node) AS node, c.text, c.subject, c.value, c.verdict, c.rule, c.evidence, c.judged_at, c.judgements, c.facts, c.ordinal
FROM aya.claims c
LEFT JOIN system_nodes n ON n.id = c.node_id
WHERE %(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s)
