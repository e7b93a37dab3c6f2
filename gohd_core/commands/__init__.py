"""The commands of `gohd` that belong to no other part, one module each."""
