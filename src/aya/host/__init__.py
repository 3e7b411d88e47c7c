"""The only code that runs commands or opens files on a machine that AYA looks at."""
