-- The rules of client authentication as the files have them now, and what is wrong in them. Only a superuser may look.
-- From 16 on the file may include others; they come in the order in which they count.
SELECT
    line_number, file_name AS file, type, database AS databases, user_name AS users, address, netmask,
    auth_method AS method, options, error
FROM pg_hba_file_rules
ORDER BY rule_number NULLS LAST, file_name, line_number
