"""One file per question about a Linux machine. Drop a file in, and it is run, recorded, tested and documented."""
