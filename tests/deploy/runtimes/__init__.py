"""Tests of other runtimes; those whose packages are not installed are skipped."""
