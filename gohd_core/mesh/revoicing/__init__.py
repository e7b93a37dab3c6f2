"""Real videos say other words: mouths of their own frames, and what lies before them."""
