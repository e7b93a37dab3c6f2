"""CPU fast paths, the policy that chooses them, and their plain twins."""
