-- The rules of client authentication as the file has them now, and what is wrong in it. Only a superuser may look.
SELECT
    line_number, NULL::text AS file, type, database AS databases, user_name AS users, address, netmask,
    auth_method AS method, options, error
FROM pg_hba_file_rules
ORDER BY line_number
