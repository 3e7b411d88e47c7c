"""The faces of AYA: thin, over the operations. No SQL here."""
