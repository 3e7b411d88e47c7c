-- What of change_log may go: how much, and from when.
SELECT 'change_log' AS table_name, count(*) AS rows, coalesce(sum(pg_column_size(t)), 0)::bigint AS bytes, min(t.created_at) AS oldest, max(t.created_at) AS newest
FROM change_log t
WHERE t.id IN (SELECT aya.prunable_changes(%(before)s))
