"""Makes the helpers beside the tests importable and keeps the tests from using every core at once."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
