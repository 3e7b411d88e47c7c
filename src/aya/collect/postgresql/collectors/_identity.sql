-- Which server this is and what this session may see of it: asked once, before any collector.
SELECT
    current_setting('server_version_num')::integer AS version_num,
    current_setting('port')::integer AS port,
    current_database()::text AS database,
    pg_is_in_recovery() AS in_recovery,
    pg_has_role(current_user, 'pg_read_all_settings', 'USAGE') AS reads_all_settings,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS reads_all_stats
