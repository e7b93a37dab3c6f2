"""The quality benchmark: the built-in family against exact truth."""
