-- PostgreSQL settings, those that await a restart first.
-- path: /settings
-- path: /nodes/{node}/settings
-- part of the state
-- order: node_name, instance, -requires_restart, setting_name, id
SELECT c.id, n.node_name, c.instance, c.setting_name, c.setting_value, c.setting_unit, c.requires_restart, c.pending_value, c.context,
    c.setting_category, c.setting_short_desc, c.metadata
FROM postgresql_configuration c
JOIN system_nodes n ON n.id = c.node_id
WHERE c.is_active AND (%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s))
