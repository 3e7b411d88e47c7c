-- The settings of which not every server of these nodes has the same value, or some server has none, or a restart is pending: all others can
-- be no drift, and need not be fetched.
SELECT c.setting_name
FROM postgresql_configuration c
JOIN system_nodes n ON n.id = c.node_id
WHERE c.is_active AND n.node_name = ANY (%(nodes)s)
GROUP BY c.setting_name
HAVING min(c.setting_value) IS DISTINCT FROM max(c.setting_value)
    OR count(c.setting_value) NOT IN (0, count(*))
    OR bool_or(c.requires_restart)
    OR count(*) <> (
        SELECT count(*)
        FROM postgresql_instances i
        JOIN system_nodes m ON m.id = i.node_id
        WHERE i.is_active AND m.node_name = ANY (%(nodes)s)
    )
