"""A method of a few lines: keeps every second word-vector. Nothing outside this folder knows it."""

EXPORTS = {}
REGISTERED = ("method",)
