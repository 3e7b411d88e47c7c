"""Proof that the log of changes is whole: seals, checkpoints and their verification."""
