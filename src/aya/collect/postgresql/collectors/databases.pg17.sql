-- The databases with their size and traffic. A size is NULL where this login may not know it.
-- From 17 on a third provider is built in, and the locale has a name of its own for all of them.
SELECT
    d.datname::text AS name, r.rolname::text AS owner, pg_encoding_to_char(d.encoding)::text AS encoding,
    d.datcollate::text AS collation, d.datctype::text AS character_type,
    CASE d.datlocprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' END AS locale_provider, d.datlocale AS locale,
    d.datcollversion AS collation_version, pg_database_collation_actual_version(d.oid) AS actual_collation_version,
    d.datistemplate AS is_template, d.datallowconn AS allows_connections, d.datconnlimit AS connection_limit,
    t.spcname::text AS tablespace, shobj_description(d.oid, 'pg_database') AS comment,
    CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
        THEN pg_database_size(d.oid)
    END AS size_bytes,
    s.numbackends AS connections, s.blks_hit, s.blks_read
FROM pg_database AS d
LEFT JOIN pg_roles AS r ON r.oid = d.datdba
LEFT JOIN pg_tablespace AS t ON t.oid = d.dattablespace
LEFT JOIN pg_stat_database AS s ON s.datid = d.oid
ORDER BY d.datname
