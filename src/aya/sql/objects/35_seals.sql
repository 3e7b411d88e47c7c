-- Seals, keys and prunings only grow. A superuser can put these triggers aside; the signatures show what he did.
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['aya.seals', 'aya.audit_keys', 'aya.prunings'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION aya.refuse_rewriting()', t);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only', t);
    END LOOP;
END
$$;
