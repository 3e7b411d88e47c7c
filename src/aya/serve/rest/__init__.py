"""REST: every operation under `/api/v1`, and what programs that watch AYA ask for."""
