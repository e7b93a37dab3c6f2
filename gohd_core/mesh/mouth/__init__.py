"""The inside of a mouth: the picture's own, and drawn teeth, gums and tongue."""
