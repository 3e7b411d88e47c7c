-- The shared libraries that the functions of each extension of this database live in, and whether the file is there.
-- Nothing is loaded: files are looked for where the server would look. Only a superuser may look.
WITH used AS (
    SELECT DISTINCT e.extname::text AS extension, p.probin AS library
    FROM pg_extension AS e
    JOIN pg_depend AS d
        ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
        AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
    JOIN pg_proc AS p ON p.oid = d.objid
    WHERE p.probin IS NOT NULL
), folders AS (
    SELECT setting AS libdir FROM pg_config WHERE name = 'PKGLIBDIR'
), candidates AS (
    SELECT u.extension, u.library, replace(u.library, '$libdir', f.libdir) AS path
    FROM used AS u, folders AS f
    WHERE strpos(u.library, '/') > 0
    UNION ALL
    SELECT u.extension, u.library, replace(folder, '$libdir', f.libdir) || '/' || u.library
    FROM used AS u, folders AS f, unnest(string_to_array(current_setting('dynamic_library_path'), ':')) AS folder
    WHERE strpos(u.library, '/') = 0
)
SELECT
    c.extension,
    c.library,
    bool_or((pg_stat_file(c.path || suffix, true)).size IS NOT NULL) AS is_there
FROM candidates AS c, unnest(ARRAY['', '.so', '.dylib']) AS suffix
GROUP BY c.extension, c.library
ORDER BY c.extension, c.library
