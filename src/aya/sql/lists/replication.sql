-- Replication links and slots.
-- path: /replication
-- path: /nodes/{node}/replication
-- part of the state
-- order: node_name, instance, side, slot_name, id
SELECT r.id, n.node_name, r.instance, r.side, p.node_name AS primary_node, s.node_name AS replica_node, r.slot_name, r.application_name,
    r.client_address, r.peer, r.state, r.sync_state, r.replay_lag_ms, r.replay_lag_bytes, r.write_lag_ms,
    r.flush_lag_ms, r.last_check, r.metadata
FROM replication_status r
JOIN system_nodes n ON n.id = r.node_id
LEFT JOIN system_nodes p ON p.id = r.primary_node_id
LEFT JOIN system_nodes s ON s.id = r.replica_node_id
WHERE r.is_active AND (%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s))
