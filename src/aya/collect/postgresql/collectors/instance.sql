-- What a server is: version, files, role, start. Folders and files are NULL for a login that may not read all settings.
SELECT
    version() AS version_text,
    current_setting('server_version') AS server_version,
    pg_postmaster_start_time() AS started_at,
    pg_is_in_recovery() AS in_recovery,
    -- A base backup in progress is a client, not a replica.
    EXISTS (
        SELECT FROM pg_stat_replication
        WHERE state IS DISTINCT FROM 'backup' AND application_name IS DISTINCT FROM 'pg_basebackup'
    ) OR EXISTS (
        SELECT FROM pg_replication_slots
        WHERE active AND slot_type = 'physical' AND slot_name !~ '^pg_basebackup_\d+$'
    ) AS feeds_others,
    CASE WHEN NOT pg_is_in_recovery()
        THEN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer
    END AS written_timeline,
    (SELECT received_tli FROM pg_stat_wal_receiver) AS received_timeline,
    s.*
FROM (
    SELECT
        max(setting) FILTER (WHERE name = 'data_directory') AS data_directory,
        max(setting) FILTER (WHERE name = 'config_file') AS config_file,
        max(setting) FILTER (WHERE name = 'hba_file') AS hba_file,
        max(setting) FILTER (WHERE name = 'unix_socket_directories') AS socket_directories,
        max(setting) FILTER (WHERE name = 'listen_addresses') AS listen_addresses,
        max(setting) FILTER (WHERE name = 'data_checksums') AS data_checksums,
        max(setting) FILTER (WHERE name = 'cluster_name') AS cluster_name,
        max(setting) FILTER (WHERE name = 'block_size')::integer AS block_bytes,
        max(setting) FILTER (WHERE name = 'wal_segment_size')::integer AS wal_segment_bytes
    FROM pg_settings
) AS s
