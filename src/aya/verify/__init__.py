"""Functional tests of what is recorded: not whether a row says so, but whether it is so."""
