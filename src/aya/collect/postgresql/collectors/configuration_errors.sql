-- What is wrong in the configuration files and concerns no known setting: syntax errors, unknown names. Only a superuser may look.
SELECT f.sourcefile AS file, f.sourceline AS line, f.name, f.error
FROM pg_file_settings AS f
WHERE f.error IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM pg_settings AS s
        WHERE lower(s.name) = lower(f.name)
            -- A line that is gone, of a setting that waits for a restart, stands here without name and file.
            OR (f.name IS NULL AND f.sourcefile IS NULL AND s.context = 'postmaster' AND f.error ~ ('\m' || s.name || '\M'))
    )
ORDER BY f.sourcefile, f.sourceline, f.seqno
