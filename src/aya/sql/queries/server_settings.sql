-- What this server says of its own settings: by that the settings of a document are understood and judged.
SELECT name, unit, context, vartype AS kind, min_val AS least, max_val AS most, enumvals AS choices, boot_val AS default, short_desc,
    coalesce(extra_desc, '') AS extra_desc, category
FROM pg_settings
ORDER BY name
