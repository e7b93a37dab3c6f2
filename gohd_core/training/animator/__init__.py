"""Training of the animator (section 3.3)."""
