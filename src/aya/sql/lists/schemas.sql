-- Objects of databases.
-- path: /schemas
-- path: /nodes/{node}/schemas
-- part of the state
-- order: node_name, instance, database_name, schema_name, table_name, kind, id
SELECT d.id, n.node_name, d.instance, d.database_name, d.kind, d.schema_name, d.table_name, d.column_name, d.data_type, d.is_nullable,
    d.column_default, d.index_name, d.index_type, d.index_definition, d.constraint_name, d.constraint_type,
    d.constraint_definition, d.object_name, d.table_size_bytes, d.index_size_bytes, d.metadata
FROM database_schemas d
JOIN system_nodes n ON n.id = d.node_id
WHERE d.is_present AND (%(nodes)s::text[] IS NULL OR n.node_name = ANY (%(nodes)s))
