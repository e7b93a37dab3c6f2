"""The command line as tests call it."""

from __future__ import annotations

import json

from gohd_core.cli import main


def gohd(*words: object) -> int:
    """Exit status of `gohd`. Strings are split at blanks; a path or a number is one word."""
    return main([part for word in words for part in (word.split() if isinstance(word, str) else [str(word)])])


def gohd_json(capsys, *words: object) -> tuple[int, list[dict]]:
    """The exit status with --json, and what was printed."""
    status = gohd(*words, "--json")
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]
