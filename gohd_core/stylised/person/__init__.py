"""A stylised person: shape and style from a seed, and every surface that is drawn."""
