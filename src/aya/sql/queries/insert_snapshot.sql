-- Take a snapshot. Everything that is not given is computed by the database.
INSERT INTO system_state_snapshots (snapshot_name, snapshot_type, description, state_canonical, change_number, created_by)
VALUES (%(name)s, %(type)s, %(description)s, %(canonical)s, %(change_number)s, %(created_by)s)
