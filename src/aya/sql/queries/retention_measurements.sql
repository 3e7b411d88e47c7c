-- What of performance_metrics may go: how much, and from when.
SELECT 'performance_metrics' AS table_name, count(*) AS rows, coalesce(sum(pg_column_size(t)), 0)::bigint AS bytes, min(t.measured_at) AS oldest, max(t.measured_at) AS newest
FROM performance_metrics t
WHERE t.id IN (SELECT aya.prunable_measurements(%(before)s))
