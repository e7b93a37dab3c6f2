"""Mouth, eyes, brows, head and gaze of a speaker, from phones and prosody; random stills."""
