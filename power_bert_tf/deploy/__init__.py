"""Trained classifiers in production: compiled graphs, runtimes and exports."""
