-- Verdicts that became others by what was measured since.
UPDATE aya.claims c
SET judgements = g.judgements, verdict = g.verdict, rule = g.rule, evidence = g.evidence,
    judged_at = CASE WHEN (c.verdict, c.evidence) IS DISTINCT FROM (g.verdict, g.evidence) THEN now() ELSE c.judged_at END
FROM jsonb_to_recordset(%(claims)s::jsonb) AS g (id bigint, judgements jsonb, verdict text, rule text, evidence text)
WHERE c.id = g.id
RETURNING c.id
