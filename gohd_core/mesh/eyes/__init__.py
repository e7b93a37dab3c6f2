"""Between the lids: eyeballs, lids, lashes."""
