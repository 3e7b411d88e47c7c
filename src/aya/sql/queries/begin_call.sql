-- A call is about to be done; safe on disk before it is.
SELECT aya.begin_call(
    %(request_id)s::text, %(caller)s::text, %(called_from)s::inet, %(operation)s::text, %(arguments)s::text, %(arguments_sha256)s::bytea
) AS id
