"""Sets up what the tests need, on a fresh machine with Python alone, and runs them with the linter."""

from __future__ import annotations

import os
import sys

from environment import environment, run


def main(arguments: list[str]) -> int:
    python = environment(("dev", "train", "video"))
    lint = run(python, "-m", "ruff", "check", ".") or run(python, "-m", "ruff", "format", "--check", ".")
    if not arguments:
        # Tests side by side, one core each.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        arguments = ["-n", "auto"]
    tests = run(python, "-m", "pytest", *arguments)
    return tests or lint


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
