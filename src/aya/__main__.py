"""`python -m aya` is the same program as the `aya` command."""

from aya.serve.cli import main

main()
