"""Tests of AdapLeR."""
