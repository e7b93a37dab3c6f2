"""What goes wrong, by kind; every message is one sentence that says what is wrong and what to do."""

from __future__ import annotations


class GohdError(ValueError):
    """Base of all errors that GoHD raises on purpose."""


class BadInput(GohdError):
    """A value that a user or a caller gave can't be used."""


class BadCheckpoint(GohdError):
    """A weights file is missing, damaged, or not what it was taken for."""


class MissingDependency(GohdError):
    """A library or program that this one task needs is not installed."""


class Interrupted(GohdError):
    """The caller asked to stop (`should_stop` returned true)."""
