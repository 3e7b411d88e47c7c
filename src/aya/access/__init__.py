"""Who may: tokens, what each is for, and who called what."""
