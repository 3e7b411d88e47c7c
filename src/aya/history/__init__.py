"""What changed, when, by whom and why; and the state as it was at any past moment."""
