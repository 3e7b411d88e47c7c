-- Network interfaces that are there.
-- path: /interfaces
-- path: /nodes/{node}/interfaces
-- part of the state
-- order: node_name, -is_primary, -is_active, interface_name, id
SELECT i.id, n.node_name, i.interface_name, i.interface_type, i.is_primary, i.is_active, i.ipv4_address,
    i.ipv4_netmask, i.ipv4_gateway, i.ipv6_address,
    i.ipv6_prefix, i.mac_address, i.connection_speed_mbps, i.connection_type, i.metadata
FROM network_interfaces i
JOIN system_nodes n ON n.id = i.node_id
WHERE i.is_present AND (%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s))
