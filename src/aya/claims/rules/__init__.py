"""Reasons why a statement holds or does not: one file each, discovered."""
