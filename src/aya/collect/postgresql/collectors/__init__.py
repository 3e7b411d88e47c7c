"""Collectors of facts about a PostgreSQL server: drop a file in here, its `.sql` files beside it, and it runs."""
