"""Tests of the script that makes the embedded checkpoint."""
