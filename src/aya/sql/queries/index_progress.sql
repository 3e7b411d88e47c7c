-- How far the building of an index is.
SELECT p.phase, CASE WHEN p.tuples_total > 0 THEN p.tuples_done::float8 / p.tuples_total
    WHEN p.blocks_total > 0 THEN p.blocks_done::float8 / p.blocks_total END AS share
FROM pg_stat_progress_create_index p
WHERE p.pid = %(process)s
