-- How many changes no seal covers yet, and those of them that should be covered, because their transaction was over when the last seal was
-- made. Where the server's count of transactions began anew, that cannot be told. And changes of a number that the database never gave.
WITH sealed AS (
    SELECT coalesce(range_agg(changes), '{}') AS changes, max(horizon) AS horizon FROM aya.seals
), unsealed AS (
    SELECT c.id, c.transaction_id < s.horizon AND s.horizon <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS late
    FROM change_log c CROSS JOIN sealed s
    WHERE NOT s.changes @> c.id
), given AS (
    SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('change_log', 'id')::regclass), 0) AS last
)
SELECT count(*) FILTER (WHERE late IS NOT TRUE) AS unsealed, (array_agg(id ORDER BY id) FILTER (WHERE late))[:100] AS late,
    (SELECT min(c.id) FROM change_log c, given g WHERE c.id > g.last) AS first_not_given,
    (SELECT count(*) FROM change_log c, given g WHERE c.id > g.last) AS not_given
FROM unsealed
