"""Sentences to say: drawn from small grammars of our own (`grammar/*.json`), by seed and split.

A sentence belongs to one split for good, by the hash of its words: no sentence of the test set is
ever trained on, whatever the seed. English has by far the largest grammar (millions of sentences).
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from importlib import resources

import numpy as np

from gohd_core.choices import SPLITS
from gohd_core.errors import BadInput

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "fi", "cs")
_RULE = re.compile(r"\{(\w+)\}")
_SHARE = (0.8, 0.9)
"""Hash below the first is train, below the second validation, else test."""


@lru_cache(maxsize=len(LANGUAGES))
def _grammar(language: str) -> dict[str, list[str]]:
    if language not in LANGUAGES:
        raise BadInput(f"No sentences in '{language}'; use one of {', '.join(LANGUAGES)}.")
    folder = resources.files("gohd_core.stylised.speech") / "grammar"
    return json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))


def text_split(sentence: str) -> str:
    """The split that a sentence belongs to, whatever its case and punctuation."""
    words = " ".join(re.findall(r"\w+", sentence.lower()))
    number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big") / 2**64
    return SPLITS[sum(number >= share for share in _SHARE)]


def sentence(rng: np.random.Generator, language: str = "en", split: str | None = None) -> str:
    """One sentence of `language`, of the given split (None: any)."""
    if split is not None and split not in SPLITS:
        raise BadInput(f"Unknown split '{split}'; use one of {', '.join(SPLITS)}.")
    rules = _grammar(language)
    while True:
        text = _expand("sentence", rules, rng)
        text = text[0].upper() + text[1:]
        if split is None or text_split(text) == split:
            return text


def _expand(rule: str, rules: dict[str, list[str]], rng: np.random.Generator) -> str:
    chosen = rules[rule][int(rng.integers(len(rules[rule])))]
    return _RULE.sub(lambda match: _expand(match[1], rules, rng), chosen)


def paragraph(rng: np.random.Generator, letters: int, language: str = "en", split: str | None = None) -> str:
    """Different sentences of one split until about `letters` letters are reached (at least one)."""
    sentences: list[str] = []
    while not sentences or sum(map(len, sentences)) < letters - 20:
        candidate = sentence(rng, language, split)
        if candidate not in sentences:
            sentences.append(candidate)
    return " ".join(sentences)
