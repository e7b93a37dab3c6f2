"""Errors by kind; every message is one sentence with the problem and the remedy."""

from __future__ import annotations

from collections.abc import Callable


class GohdError(ValueError):
    """Base of all errors that GoHD raises on purpose."""


class BadInput(GohdError):
    """A value that a user or a caller gave can't be used."""


class BadCheckpoint(GohdError):
    """A weights file is missing, damaged or of another kind."""


class MissingDependency(GohdError):
    """A library or program that this one task needs is not installed."""


class Interrupted(GohdError):
    """The caller asked to stop (`should_stop` returned true)."""


def raise_if_stopped(should_stop: Callable[[], bool] | None, message: str) -> None:
    """`Interrupted` with that message once the caller asks to stop."""
    if should_stop is not None and should_stop():
        raise Interrupted(message)


_PACKAGES = {"cv2": "opencv-python", "face_alignment": "face-alignment", "PIL": "pillow", "yaml": "pyyaml"}
"""Libraries that are installed under another name than they are imported by."""


def missing_library(error: ImportError, who: str, remedy: str | None = None) -> MissingDependency:
    """Sentence for a library that can't be imported: who needs which one, and how to get it."""
    if isinstance(error, ModuleNotFoundError):
        name = str(error.name).partition(".")[0]
        remedy = remedy or f"run: pip install {_PACKAGES.get(name, name)}"
        return MissingDependency(f"{who} needs the Python library {name!r}, which is not installed; {remedy}")
    if "libGL" in str(error) or "libgthread" in str(error):
        return MissingDependency(
            f"OpenCV can't start on this machine without a display ({error}); run: "
            "pip uninstall -y opencv-python, then: pip install --force-reinstall opencv-python-headless"
        )
    return MissingDependency(f"{who} needs a Python library that does not load ({error}); install it again.")
