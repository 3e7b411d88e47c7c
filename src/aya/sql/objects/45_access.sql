-- Calls are logged before they are done; who is let in stands in the log of changes.

CREATE OR REPLACE FUNCTION aya.call_sha256(call aya.calls) RETURNS text
LANGUAGE sql STABLE
SET timezone = 'UTC'
SET search_path = pg_catalog, pg_temp
RETURN encode(sha256(convert_to(jsonb_strip_nulls(to_jsonb(call))::text, 'UTF8')), 'hex');
COMMENT ON FUNCTION aya.call_sha256(aya.calls) IS 'SHA-256 of a call''s row, as its note in change_log holds it.';

CREATE OR REPLACE FUNCTION aya.begin_call(
    request_id text, caller text, called_from inet, operation text, arguments text, arguments_sha256 bytea
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    called aya.calls;
BEGIN
    INSERT INTO aya.calls (request_id, caller, called_from, operation, arguments, arguments_sha256)
    VALUES (request_id, caller, called_from, operation, arguments, arguments_sha256)
    RETURNING * INTO called;
    INSERT INTO public.change_log (change_type, table_affected, record_id, fact, action, change_description, new_value,
        changed_by, change_reason)
    VALUES ('system', 'aya.calls', called.id, called.operation, 'note', format('%s was called by %s', called.operation, called.caller),
        jsonb_build_object('request_id', called.request_id, 'operation', called.operation,
            'arguments_sha256', encode(called.arguments_sha256, 'hex'), 'call_sha256', aya.call_sha256(called)),
        called.caller, called.request_id);
    RETURN called.id;
END
$$;
COMMENT ON FUNCTION aya.begin_call(text, text, inet, text, text, bytea) IS 'Log that something is about to be done, for whom and with what; returns the number of the call. Its note in change_log is sealed.';
REVOKE EXECUTE ON FUNCTION aya.begin_call(text, text, inet, text, text, bytea) FROM PUBLIC;

CREATE OR REPLACE FUNCTION aya.log_tokens() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF tg_op = 'UPDATE' AND old.revoked_at IS NOT DISTINCT FROM new.revoked_at THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.change_log (change_type, table_affected, record_id, fact, action, change_description, new_value,
        changed_by, change_reason)
    VALUES ('system', 'aya.tokens', new.id, new.name, 'note',
        CASE tg_op WHEN 'INSERT' THEN format('token %s was made for %s%s', new.name, array_to_string(new.scopes, ', '), ' of ' || new.node_name)
            ELSE format('token %s was revoked', new.name) END,
        jsonb_build_object('prefix', new.prefix, 'scopes', new.scopes, 'node_name', new.node_name, 'expires_at', new.expires_at,
            'revoked_at', new.revoked_at),
        aya.actor(), nullif(current_setting('aya.reason', true), ''));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION aya.log_tokens() IS 'Trigger: log which token was made or revoked, and by whom.';
REVOKE EXECUTE ON FUNCTION aya.log_tokens() FROM PUBLIC;
CREATE OR REPLACE TRIGGER log_tokens AFTER INSERT OR UPDATE ON aya.tokens FOR EACH ROW EXECUTE FUNCTION aya.log_tokens();
ALTER TABLE aya.tokens ENABLE ALWAYS TRIGGER log_tokens;

CREATE OR REPLACE FUNCTION aya.keep_tokens() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF tg_op = 'UPDATE' AND (old.revoked_at IS NULL OR (new.revoked_at, new.revoked_by) IS NOT DISTINCT FROM (old.revoked_at, old.revoked_by))
        AND to_jsonb(new) - ARRAY['revoked_at', 'revoked_by', 'last_used_at', 'last_used_from']
            = to_jsonb(old) - ARRAY['revoked_at', 'revoked_by', 'last_used_at', 'last_used_from'] THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'token % stays as it was made: it can only be revoked, once', old.name
        USING ERRCODE = 'insufficient_privilege', HINT = 'Make another one.';
END
$$;
COMMENT ON FUNCTION aya.keep_tokens() IS 'Trigger: a token is not changed, deleted or brought back; it can be revoked.';
CREATE OR REPLACE TRIGGER keep_tokens BEFORE UPDATE OR DELETE ON aya.tokens FOR EACH ROW EXECUTE FUNCTION aya.keep_tokens();
ALTER TABLE aya.tokens ENABLE ALWAYS TRIGGER keep_tokens;

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON aya.calls
    FOR EACH STATEMENT EXECUTE FUNCTION aya.refuse_rewriting();
ALTER TABLE aya.calls ENABLE ALWAYS TRIGGER append_only;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON aya.call_ends
    FOR EACH STATEMENT EXECUTE FUNCTION aya.refuse_rewriting();
ALTER TABLE aya.call_ends ENABLE ALWAYS TRIGGER append_only;
