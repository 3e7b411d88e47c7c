-- Services that are there.
-- path: /services
-- path: /nodes/{node}/services
-- part of the state
-- order: node_name, status, service_name, id
SELECT s.id, n.node_name, s.service_name, s.service_type, s.status, s.port, s.bind_address, s.process_id, s.started_at, s.auto_start,
    s.auto_restart, s.executable_path, s.config_path, s.data_path, s.log_path, s.pid_file_path, s.metadata
FROM services s
JOIN system_nodes n ON n.id = s.node_id
WHERE s.is_present AND (%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s))
