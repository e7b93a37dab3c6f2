"""The linear head of eq. 10: its topology, mean surface, 80 identity modes and 64 expression modes."""
