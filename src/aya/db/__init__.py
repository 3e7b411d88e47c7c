"""The only code that talks to PostgreSQL: the embedded server, connections, migrations, named queries."""
