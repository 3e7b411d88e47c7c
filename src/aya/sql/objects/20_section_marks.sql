-- Whoever writes state rows takes the mark off the sections of the nodes concerned; only the recorder, which has set the new mark
-- before, leaves it. So a mark is a promise about the rows as they are, also after a change by hand.

CREATE OR REPLACE FUNCTION aya.unmark_sections() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- The plan of a transition table is kept from the session's first firing, when it may have been empty: a nested loop
-- then costs the square of the rows for ever.
SET enable_nestloop = off
AS $$
BEGIN
    IF current_setting('aya.recording', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF tg_op = 'TRUNCATE' THEN
        DELETE FROM aya.section_marks;
    ELSE
        DELETE FROM aya.section_marks WHERE node_id IN (SELECT DISTINCT node_id FROM touched);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION aya.unmark_sections() IS 'Trigger: forget that the sections of the touched nodes were recorded unchanged.';

DO $$
DECLARE
    state_table text;
BEGIN
    FOREACH state_table IN ARRAY ARRAY[
        'network_interfaces', 'software_versions', 'postgresql_instances', 'postgresql_configuration', 'services',
        'replication_status', 'database_schemas'
    ] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER unmark_inserted AFTER INSERT ON %I REFERENCING NEW TABLE AS touched '
            'FOR EACH STATEMENT EXECUTE FUNCTION aya.unmark_sections()', state_table);
        EXECUTE format('CREATE OR REPLACE TRIGGER unmark_updated AFTER UPDATE ON %I REFERENCING NEW TABLE AS touched '
            'FOR EACH STATEMENT EXECUTE FUNCTION aya.unmark_sections()', state_table);
        EXECUTE format('CREATE OR REPLACE TRIGGER unmark_deleted AFTER DELETE ON %I REFERENCING OLD TABLE AS touched '
            'FOR EACH STATEMENT EXECUTE FUNCTION aya.unmark_sections()', state_table);
        EXECUTE format('CREATE OR REPLACE TRIGGER unmark_truncated AFTER TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION aya.unmark_sections()', state_table);
    END LOOP;
END
$$;
