"""Heads and eyes that go with real speech, beside those of people who talk in videos."""
