-- The four views of the source document: its columns, its rows, but counted per node before joining, so that ten
-- thousand nodes stay cheap. As printed, every service of a node is joined to every package of it.

CREATE OR REPLACE VIEW v_system_overview AS
SELECT
    n.node_name,
    n.node_role,
    n.cpu_model,
    n.cpu_cores_total,
    n.gpu_cores,
    n.ram_gb,
    n.storage_internal_tb,
    n.os_version,
    n.status,
    ni.ipv4_address AS primary_ip,
    coalesce(s.running_services, 0) AS running_services,
    coalesce(sv.installed_software, 0) AS installed_software
FROM system_nodes n
LEFT JOIN (
    SELECT DISTINCT node_id, ipv4_address FROM network_interfaces WHERE is_primary = true
) ni ON ni.node_id = n.id
LEFT JOIN (
    SELECT node_id, count(*) AS running_services FROM services WHERE status = 'running' GROUP BY node_id
) s ON s.node_id = n.id
LEFT JOIN (
    SELECT node_id, count(*) AS installed_software FROM software_versions WHERE is_active = true GROUP BY node_id
) sv ON sv.node_id = n.id;

COMMENT ON VIEW v_system_overview IS 'One line per node: what it is, its primary address, how much runs and is installed.';
COMMENT ON COLUMN v_system_overview.node_name IS 'Name people use.';
COMMENT ON COLUMN v_system_overview.node_role IS 'primary, replica, client or standalone.';
COMMENT ON COLUMN v_system_overview.cpu_model IS 'Processor.';
COMMENT ON COLUMN v_system_overview.cpu_cores_total IS 'Physical cores.';
COMMENT ON COLUMN v_system_overview.gpu_cores IS 'Cores of the graphics processor.';
COMMENT ON COLUMN v_system_overview.ram_gb IS 'Installed GiB.';
COMMENT ON COLUMN v_system_overview.storage_internal_tb IS 'Internal storage in TB (10^12 bytes).';
COMMENT ON COLUMN v_system_overview.os_version IS 'Version of the operating system.';
COMMENT ON COLUMN v_system_overview.status IS 'active, inactive, maintenance or pending.';
COMMENT ON COLUMN v_system_overview.primary_ip IS 'IPv4 address of the interface that carries the default route.';
COMMENT ON COLUMN v_system_overview.running_services IS 'Services whose status is running.';
COMMENT ON COLUMN v_system_overview.installed_software IS 'Installations that are there now.';

CREATE OR REPLACE VIEW v_replication_health AS
SELECT
    pn.node_name AS primary_node,
    rn.node_name AS replica_node,
    rs.slot_name,
    rs.state,
    rs.sync_state,
    rs.replay_lag_ms,
    rs.replay_lag_bytes,
    rs.is_active,
    rs.last_check
FROM replication_status rs
JOIN system_nodes pn ON rs.primary_node_id = pn.id
JOIN system_nodes rn ON rs.replica_node_id = rn.id
WHERE rs.is_active = true;

COMMENT ON VIEW v_replication_health IS 'Replication links between known nodes, with their lag when last looked at.';
COMMENT ON COLUMN v_replication_health.primary_node IS 'The sending node.';
COMMENT ON COLUMN v_replication_health.replica_node IS 'The receiving node.';
COMMENT ON COLUMN v_replication_health.slot_name IS 'Replication slot, where one is used.';
COMMENT ON COLUMN v_replication_health.state IS 'streaming, catchup, ….';
COMMENT ON COLUMN v_replication_health.sync_state IS 'async, sync, quorum or potential.';
COMMENT ON COLUMN v_replication_health.replay_lag_ms IS 'Milliseconds until replayed.';
COMMENT ON COLUMN v_replication_health.replay_lag_bytes IS 'Bytes of log not yet replayed.';
COMMENT ON COLUMN v_replication_health.is_active IS 'The link is there now.';
COMMENT ON COLUMN v_replication_health.last_check IS 'When the lags were read.';

CREATE OR REPLACE VIEW v_service_status AS
SELECT
    n.node_name,
    s.service_name,
    s.service_type,
    s.status,
    s.port,
    s.process_id,
    s.started_at,
    extract(epoch FROM (now() - s.started_at)) / 3600 AS uptime_hours
FROM services s
JOIN system_nodes n ON s.node_id = n.id
ORDER BY n.node_name, s.service_name;

COMMENT ON VIEW v_service_status IS 'Services of all nodes.';
COMMENT ON COLUMN v_service_status.node_name IS 'The node.';
COMMENT ON COLUMN v_service_status.service_name IS 'The service.';
COMMENT ON COLUMN v_service_status.service_type IS 'database, api, web, daemon, ….';
COMMENT ON COLUMN v_service_status.status IS 'running, stopped or failed.';
COMMENT ON COLUMN v_service_status.port IS 'First port it listens on.';
COMMENT ON COLUMN v_service_status.process_id IS 'Main process.';
COMMENT ON COLUMN v_service_status.started_at IS 'When it was started.';
COMMENT ON COLUMN v_service_status.uptime_hours IS 'Hours since it was started, until now.';

CREATE OR REPLACE VIEW v_performance_summary AS
SELECT
    n.node_name,
    pm.metric_category,
    pm.metric_name,
    avg(pm.metric_value) AS avg_value,
    min(pm.metric_value) AS min_value,
    max(pm.metric_value) AS max_value,
    pm.metric_unit,
    count(*) AS sample_count
FROM performance_metrics pm
JOIN system_nodes n ON pm.node_id = n.id
WHERE pm.measured_at > now() - interval '7 days'
GROUP BY n.node_name, pm.metric_category, pm.metric_name, pm.metric_unit
ORDER BY n.node_name, pm.metric_category, pm.metric_name;

COMMENT ON VIEW v_performance_summary IS 'Measurements of the last seven days, summed up per node and metric.';
COMMENT ON COLUMN v_performance_summary.node_name IS 'The node.';
COMMENT ON COLUMN v_performance_summary.metric_category IS 'Group of the metric.';
COMMENT ON COLUMN v_performance_summary.metric_name IS 'What was measured.';
COMMENT ON COLUMN v_performance_summary.avg_value IS 'Mean, in metric_unit.';
COMMENT ON COLUMN v_performance_summary.min_value IS 'Least, in metric_unit.';
COMMENT ON COLUMN v_performance_summary.max_value IS 'Greatest, in metric_unit.';
COMMENT ON COLUMN v_performance_summary.metric_unit IS 'Unit.';
COMMENT ON COLUMN v_performance_summary.sample_count IS 'Number of measurements.';
