"""Parts of a portrait that are made ready once: its own face, matte, background, glasses."""
