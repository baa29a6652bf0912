"""Tests of what `power-bert` does, each command called as the command line calls it."""
