"""Long trials: what is tried a few times in the tests, tried as often as is promised. `make soak`."""
