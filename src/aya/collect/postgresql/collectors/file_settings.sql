-- What the configuration files say now, loaded or not; of several lines for a name the last one counts. Only a superuser may look.
-- Asked bare, after the settings: reading this marks settings of this session as pending.
SELECT name, setting, error, sourcefile, sourceline FROM pg_catalog.pg_file_settings ORDER BY seqno
