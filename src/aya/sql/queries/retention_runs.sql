-- What of collection_runs, and with them of collection_outcomes, may go: how much, and from when.
WITH going AS MATERIALIZED (
    SELECT r.id, r.recorded_at, pg_column_size(r) AS bytes FROM collection_runs r WHERE r.id IN (SELECT aya.prunable_runs(%(before)s))
)
SELECT 'collection_runs' AS table_name, count(*) AS rows, coalesce(sum(g.bytes), 0)::bigint AS bytes, min(g.recorded_at) AS oldest,
    max(g.recorded_at) AS newest
FROM going g
UNION ALL
SELECT 'collection_outcomes', count(*), coalesce(sum(pg_column_size(o)), 0)::bigint, min(g.recorded_at), max(g.recorded_at)
FROM collection_outcomes o
JOIN going g ON g.id = o.run_id
