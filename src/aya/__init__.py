"""AYA: one verified truth about a set of machines, kept in PostgreSQL."""

__version__ = "0.1.0"
