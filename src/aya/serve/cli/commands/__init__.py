"""The commands of `aya`, one file for each group. They import what is heavy inside, so that `aya --help` is quick."""
