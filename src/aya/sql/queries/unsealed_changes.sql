-- The changes that can be sealed now: those of finished transactions that no seal has, at most `most`, the lowest numbers first. NULL: none.
-- `horizon` is the transaction before which all are finished. Where the server's count of transactions began anew (its data came out of a
-- dump), the last horizon says nothing, and every change is compared with the seals.
WITH last AS (
    SELECT max(horizon) AS horizon FROM aya.seals
), now AS (
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon
), sealed AS (
    SELECT range_agg(s.changes) AS changes
    FROM aya.seals s, last, now
    WHERE s.horizon = last.horizon OR now.horizon < last.horizon
), found AS (
    SELECT c.id
    FROM change_log c, now, last
    WHERE c.transaction_id >= CASE WHEN now.horizon < last.horizon THEN 0 ELSE coalesce(last.horizon, 0) END
        AND c.transaction_id < now.horizon
        AND NOT coalesce((SELECT s.changes FROM sealed s) @> c.id, false)
    ORDER BY c.id
    LIMIT %(most)s
)
SELECT range_agg(int8range(f.id, f.id, '[]'))::text AS changes, count(*) AS count, min(f.id) AS first, max(f.id) AS last,
    (SELECT horizon FROM now) AS horizon, (SELECT horizon FROM last) AS last_horizon
FROM found f
