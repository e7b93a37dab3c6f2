"""What each coefficient moves, and the maps by which pictures are warped."""
