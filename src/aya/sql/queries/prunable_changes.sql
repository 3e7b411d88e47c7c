-- The first `most` of the changes that may be pruned, and since when the log is complete without them. NULL: none.
WITH found AS MATERIALIZED (
    SELECT p.id FROM aya.prunable_changes(%(before)s) AS p (id) ORDER BY p.id LIMIT %(most)s
)
SELECT range_agg(int8range(f.id, f.id, '[]'))::text AS changes,
    (SELECT max(l.created_at) FROM change_log l WHERE l.id <= (SELECT max(id) FROM found)) AS complete_since
FROM found f
