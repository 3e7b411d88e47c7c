-- Every setting in force. Asked bare, so that no limit of AYA's own session shows. Calls nothing and compares nothing, because
-- the search path is still the server's.
SELECT
    name, setting, unit, category, short_desc, context, pending_restart,
    vartype, source, boot_val, reset_val, sourcefile, sourceline, min_val, max_val, enumvals
FROM pg_catalog.pg_settings
