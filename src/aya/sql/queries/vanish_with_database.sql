-- The objects of a database that is gone are gone with it.
UPDATE database_schemas o
SET is_present = false, updated_at = now()
WHERE o.node_id = ANY (%(nodes)s)
    AND o.is_present
    AND o.kind <> 'database'
    AND EXISTS (
        SELECT FROM database_schemas d
        WHERE d.node_id = o.node_id AND d.instance = o.instance AND d.kind = 'database' AND d.database_name = o.database_name
            AND NOT d.is_present
    )
    AND NOT EXISTS (
        SELECT FROM database_schemas d
        WHERE d.node_id = o.node_id AND d.instance = o.instance AND d.kind = 'database' AND d.database_name = o.database_name
            AND d.is_present
    )
