-- How this server is fed, where it is a replica; no row elsewhere. What is outstanding is known only while the link stands: a
-- replica whose link is cut has replayed all it received, and would look perfectly up to date.
SELECT
    now() AS checked_at, w.pid IS NOT NULL AS is_connected,
    coalesce(w.slot_name, nullif(current_setting('primary_slot_name'), '')) AS slot_name,
    w.status, w.sender_host, w.sender_port,
    CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
        THEN substring(current_setting('primary_conninfo') FROM 'host\s*=\s*''?([^'' ]+)')
    END AS configured_host,
    CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
        THEN substring(current_setting('primary_conninfo') FROM 'port\s*=\s*''?([0-9]+)')
    END AS configured_port,
    pg_get_wal_replay_pause_state() AS replay_pause_state,
    w.received_tli AS received_timeline,
    pg_wal_lsn_diff(greatest(w.latest_end_lsn, pg_last_wal_receive_lsn()), pg_last_wal_replay_lsn())::bigint
        AS outstanding_bytes,
    (extract(epoch FROM now() - pg_last_xact_replay_timestamp()) * 1000)::bigint AS ms_since_replayed_transaction,
    pg_last_wal_receive_lsn()::text AS receive_lsn,
    pg_last_wal_replay_lsn()::text AS replay_lsn,
    w.latest_end_lsn::text AS sender_lsn,
    w.last_msg_receipt_time AS last_message_at
FROM (SELECT 1) AS this
LEFT JOIN pg_stat_wal_receiver AS w ON true
WHERE pg_is_in_recovery()
