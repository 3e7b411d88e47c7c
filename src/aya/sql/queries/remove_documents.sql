-- Remove documents by their sources; their passages go with them.
DELETE FROM documents WHERE source = ANY (%(sources)s) RETURNING source
