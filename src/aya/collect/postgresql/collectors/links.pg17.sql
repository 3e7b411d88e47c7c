-- Every walsender with its slot, every walsender without one, every slot without a walsender. Base backups are clients, not links.
-- From 17 on a slot says since when it is unused, why it became useless, and whether it follows a failover.
WITH here AS (
    SELECT CASE WHEN pg_is_in_recovery()
        THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
        ELSE pg_current_wal_lsn()
    END AS lsn
), sender AS (
    SELECT * FROM pg_stat_replication
    WHERE state IS DISTINCT FROM 'backup' AND application_name IS DISTINCT FROM 'pg_basebackup'
), slot AS (
    SELECT
        slot_name, plugin, slot_type, database, temporary, active_pid, restart_lsn, confirmed_flush_lsn, wal_status,
        safe_wal_size, two_phase, inactive_since, invalidation_reason, failover, synced
    FROM pg_replication_slots
    WHERE slot_name !~ '^pg_basebackup_\d+$'
)
SELECT
    now() AS checked_at, s.pid IS NOT NULL AS is_connected,
    slot.slot_name::text AS slot_name, s.application_name, host(s.client_addr) AS client_address, s.state, s.sync_state,
    s.usename::text AS login, s.sync_priority,
    -- Nothing outstanding is no lag; a lag that is not known while something is outstanding stays unknown, and a short one is not 0.
    pg_wal_lsn_diff(here.lsn, s.replay_lsn)::bigint AS replay_lag_bytes,
    ceil(extract(epoch FROM CASE WHEN s.replay_lsn >= here.lsn THEN coalesce(s.replay_lag, '0') ELSE s.replay_lag END) * 1000)::bigint AS replay_lag_ms,
    ceil(extract(epoch FROM CASE WHEN s.write_lsn >= here.lsn THEN coalesce(s.write_lag, '0') ELSE s.write_lag END) * 1000)::bigint AS write_lag_ms,
    ceil(extract(epoch FROM CASE WHEN s.flush_lsn >= here.lsn THEN coalesce(s.flush_lag, '0') ELSE s.flush_lag END) * 1000)::bigint AS flush_lag_ms,
    s.sent_lsn::text AS sent_lsn, s.write_lsn::text AS write_lsn, s.flush_lsn::text AS flush_lsn, s.replay_lsn::text AS replay_lsn,
    slot.slot_type, slot.plugin::text AS plugin, slot.database::text AS database, slot.temporary, slot.two_phase, slot.wal_status,
    slot.invalidation_reason, slot.failover, slot.synced,
    slot.safe_wal_size AS safe_wal_bytes, slot.inactive_since, slot.restart_lsn::text AS restart_lsn,
    slot.confirmed_flush_lsn::text AS confirmed_flush_lsn,
    pg_wal_lsn_diff(here.lsn, slot.restart_lsn)::bigint AS retained_bytes
FROM sender AS s
FULL JOIN slot ON slot.active_pid = s.pid
CROSS JOIN here
ORDER BY slot.slot_name, s.application_name, s.client_addr, s.pid
