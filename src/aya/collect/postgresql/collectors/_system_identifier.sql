-- The number that initdb gave the data folder; a primary and its replicas share it. Text: it is beyond 2^53.
SELECT system_identifier::text AS system_identifier FROM pg_control_system()
