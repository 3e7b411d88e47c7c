-- The settings of these names on these nodes.
SELECT n.node_name, c.instance, c.setting_name, c.setting_value, c.setting_unit, c.setting_category, c.setting_short_desc, c.context,
    c.requires_restart, c.pending_value
FROM postgresql_configuration c
JOIN system_nodes n ON n.id = c.node_id
WHERE c.is_active AND n.node_name = ANY (%(nodes)s) AND c.setting_name = ANY (%(names)s)
