-- What the control file says: on a replica the timeline is the newest that it has replayed or must reach.
SELECT
    greatest(c.timeline_id, nullif(r.min_recovery_end_timeline, 0)) AS timeline,
    s.catalog_version_no::text AS catalog_version
FROM pg_control_checkpoint() AS c, pg_control_recovery() AS r, pg_control_system() AS s
