-- Settings that differ for a role, a database, or a role in a database; NULL stands for all of them. Asked bare: names its operators.
SELECT o.setconfig AS entries, d.datname AS database, r.rolname AS role
FROM pg_catalog.pg_db_role_setting AS o
LEFT JOIN pg_catalog.pg_database AS d ON d.oid OPERATOR(pg_catalog.=) o.setdatabase
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) o.setrole
ORDER BY d.datname NULLS FIRST, r.rolname NULLS FIRST
