-- PostgreSQL servers.
-- path: /instances
-- path: /nodes/{node}/instances
-- part of the state
-- order: node_name, port, instance, id
SELECT i.id, n.node_name, i.instance, i.server_version, i.server_role, i.port, i.listen_addresses, i.socket_directories, i.data_directory,
    i.started_at, i.architecture, i.compiler, i.data_checksums, i.timeline, i.version_text, i.config_file, i.hba_file, i.metadata
FROM postgresql_instances i
JOIN system_nodes n ON n.id = i.node_id
WHERE i.is_active AND (%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s))
