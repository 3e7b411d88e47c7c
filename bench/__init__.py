"""How fast AYA is, as ratios to what one would do without it: `make bench`. One file per figure."""
