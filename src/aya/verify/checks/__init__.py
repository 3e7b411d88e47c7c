"""One file per check. Drop a file in, and it is run by `aya verify`, stored, and documented."""
