-- Network interfaces that are there.
SELECT n.node_name, i.interface_name, i.interface_type, i.is_primary, i.is_active, host(i.ipv4_address) AS ipv4_address,
    host(i.ipv4_netmask) AS ipv4_netmask, host(i.ipv4_gateway) AS ipv4_gateway, host(i.ipv6_address) AS ipv6_address,
    i.ipv6_prefix, i.mac_address::text AS mac_address, i.connection_speed_mbps, i.connection_type, i.metadata
FROM network_interfaces i
JOIN system_nodes n ON n.id = i.node_id
WHERE i.is_present AND (%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s))
ORDER BY n.node_name, i.is_primary DESC, i.is_active DESC, i.interface_name
