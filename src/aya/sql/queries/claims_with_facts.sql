-- The statements that state something of the state of these nodes (NULL: of all), to be held against what was measured.
SELECT c.id, n.node_name AS node, c.facts, c.judgements
FROM aya.claims c
JOIN system_nodes n ON n.id = c.node_id
WHERE c.facts <> '[]' AND (%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s))
ORDER BY c.id
