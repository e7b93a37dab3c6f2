"""The paper's measures on videos."""
