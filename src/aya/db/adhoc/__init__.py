"""Read-only SQL of people and agents.

The wall is the role `aya_sql` (`aya.db.wall`). In front of it each statement gets a session and a transaction of its own, in a
worker process; behind it nothing is kept.
"""
