"""One file per question about a Mac. Drop a file in, and it is run, recorded, tested and documented."""
