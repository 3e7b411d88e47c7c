-- What imported documents say, line by line, with the verdict on it: confirmed, contradicted or unverifiable, and why.
-- for agents
-- path: /claims
-- path: /nodes/{node}/claims
-- command: claims
-- order: document, line, ordinal
SELECT c.document, c.line, c.node, c.text, c.subject, c.value, c.verdict, c.rule, c.evidence, c.judged_at, c.judgements, c.facts, c.ordinal
FROM aya.claims c
WHERE %(nodes)s::text[] IS NULL OR c.node = ANY (%(nodes)s)
