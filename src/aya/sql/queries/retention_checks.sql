-- What of check_results may go: how much, and from when.
SELECT 'check_results' AS table_name, count(*) AS rows, coalesce(sum(pg_column_size(t)), 0)::bigint AS bytes, min(t.started_at) AS oldest, max(t.started_at) AS newest
FROM check_results t
WHERE t.id IN (SELECT aya.prunable_checks(%(before)s))
