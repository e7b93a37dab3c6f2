"""Sentences, voices, speech engines and rooms; phones with their times."""
