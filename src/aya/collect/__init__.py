"""What AYA knows how to ask of a machine and of a PostgreSQL server, and how to understand the answers."""
