-- The roles of AYA. Run by whoever sets the database up; safe to run again. Advisory lock: two may set up at once.
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('aya.roles'));
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aya_owner') THEN
        CREATE ROLE aya_owner NOLOGIN;
        COMMENT ON ROLE aya_owner IS 'Owns AYA''s tables; cannot log in.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aya_writer') THEN
        CREATE ROLE aya_writer LOGIN;
        COMMENT ON ROLE aya_writer IS 'Records state; cannot change the schema.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aya_reader') THEN
        CREATE ROLE aya_reader LOGIN;
        COMMENT ON ROLE aya_reader IS 'Reads everything, writes nothing.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aya_sql') THEN
        CREATE ROLE aya_sql LOGIN NOINHERIT CONNECTION LIMIT 16;
        COMMENT ON ROLE aya_sql IS 'Runs the read-only SQL of people and agents; owns nothing and is member of nothing.';
    END IF;
END
$$;
