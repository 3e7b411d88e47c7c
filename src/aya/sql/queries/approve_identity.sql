-- From now on the node is the machine of that identity, of which nothing else is known yet.
UPDATE system_nodes
SET identity = %(identity)s,
    hardware_uuid = %(hardware_uuid)s,
    metadata = CASE WHEN %(machine_id)s::text IS NULL THEN metadata - 'identity'
        ELSE jsonb_set(coalesce(metadata, '{}'), '{identity}', jsonb_build_object('machine_id', %(machine_id)s::text)) END
WHERE node_name = %(node)s
RETURNING id
