-- What is said of the latest version of a file, whose content is the same.
UPDATE documentation_files t
SET category = d.category, description = d.description, content = d.content, sync_locations = d.sync_locations, sync_status = d.sync_status,
    secret_lines = d.secret_lines, text_problem = d.text_problem, missing_since = NULL, updated_at = now()
FROM jsonb_populate_record(NULL::documentation_files, %(document)s::jsonb) d
WHERE t.id = %(id)s
RETURNING t.id
