-- The statements of a document as they are now. What is unchanged is not written; a verdict that stays keeps its moment.
WITH given AS (
    SELECT g.*
    FROM jsonb_to_recordset(%(claims)s::jsonb) AS g (
        line integer, ordinal integer, text text, node text, node_id integer, subject text, value text, facts jsonb, judgements jsonb, verdict text, rule text,
        evidence text
    )
), merged AS (
    MERGE INTO aya.claims AS t
    USING given AS g
    ON t.document = %(document)s AND t.ordinal = g.ordinal
    WHEN MATCHED AND (t.line, t.text, t.node, t.node_id, t.subject, t.value, t.facts, t.judgements)
        IS DISTINCT FROM (g.line, g.text, g.node, g.node_id, g.subject, g.value, g.facts, g.judgements) THEN
        UPDATE SET line = g.line, text = g.text, node = g.node, node_id = g.node_id, subject = g.subject, value = g.value, facts = g.facts,
            judgements = g.judgements, verdict = g.verdict, rule = g.rule, evidence = g.evidence,
            judged_at = CASE WHEN (t.text, t.verdict, t.evidence) IS DISTINCT FROM (g.text, g.verdict, g.evidence) THEN now() ELSE t.judged_at END
    WHEN NOT MATCHED BY TARGET THEN
        INSERT (document, line, ordinal, text, node, node_id, subject, value, facts, judgements, verdict, rule, evidence)
        VALUES (%(document)s, g.line, g.ordinal, g.text, g.node, g.node_id, g.subject, g.value, g.facts, g.judgements, g.verdict, g.rule, g.evidence)
    WHEN NOT MATCHED BY SOURCE AND t.document = %(document)s THEN
        DELETE
    RETURNING merge_action() AS action
)
SELECT count(*) AS written FROM merged
