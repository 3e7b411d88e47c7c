-- Installed software.
-- path: /software
-- path: /nodes/{node}/software
-- part of the state
-- order: node_name, software_name, software_version, install_path, id
SELECT s.id, n.node_name, s.software_name, s.software_version, s.software_architecture, s.runtime_mode, s.install_path,
    s.executable_path, s.compiler, s.installed_at, s.metadata
FROM software_versions s
JOIN system_nodes n ON n.id = s.node_id
WHERE s.is_active AND (%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s))
