"""One phone set for all engines, and the translation of each engine's symbols into it.

The set is ARPAbet in lower case, diphthongs taken apart ("ay" is "aa iy"), with a few sounds that
English lacks: "ue" and "oe" (front rounded), "x" (velar or uvular fricative), "ny", "rr" (trill).
A pause is "pau".
"""

from __future__ import annotations

from dataclasses import dataclass

from gohd_core.errors import BadInput

PAUSE = "pau"
VOWELS = frozenset(("aa", "ae", "ah", "ao", "ax", "eh", "er", "ey", "ih", "iy", "ow", "uh", "uw", "ue", "oe"))
CONSONANTS = frozenset(
    (
        "p",
        "b",
        "m",
        "f",
        "v",
        "t",
        "d",
        "n",
        "l",
        "dx",
        "s",
        "z",
        "th",
        "dh",
        "sh",
        "zh",
        "ch",
        "jh",
        "k",
        "g",
        "ng",
        "ny",
        "x",
        "hh",
        "r",
        "rr",
        "w",
        "y",
        "q",
    )
)
PHONES = VOWELS | CONSONANTS | {PAUSE}
IDS = {name: number for number, name in enumerate(sorted(PHONES))}
"""Numbers of phones, as networks that tell them have them."""
BILABIAL = frozenset("pbm")
"""Phones that need fully closed lips."""
LABIODENTAL = frozenset("fv")
"""Phones that need the lower lip at the upper teeth."""

_IPA_ONE = {
    "aa": "aɑäɶ",
    "ae": "æ",
    "ah": "ʌɐ",
    "ao": "ɔɒ",
    "ax": "əɘɵɨᵻ",
    "eh": "ɛ",
    "er": "ɜɝɚ",
    "ey": "e",
    "ih": "ɪ",
    "iy": "i",
    "ow": "oɤ",
    "uh": "ʊ",
    "uw": "uʉɯ",
    "ue": "yʏ",
    "oe": "øœ",
    "p": "p",
    "b": "b",
    "m": "m",
    "f": "fɸ",
    "v": "vʋβ",
    "t": "tʈ",
    "d": "dɖ",
    "n": "nɳ",
    "l": "lɫɭʎ",
    "dx": "ɾɽ",
    "s": "s",
    "z": "z",
    "th": "θ",
    "dh": "ð",
    "sh": "ʃɕʂ",
    "zh": "ʒʑʐ",
    "k": "kcq",
    "g": "ɡgɟ",
    "ng": "ŋ",
    "ny": "ɲ",
    "x": "xçχɣʁ",
    "hh": "hɦ",
    "r": "ɹɻ",
    "rr": "rʀ",
    "w": "wʍɥ",
    "y": "jʝ",
    "q": "ʔ",
}
_IPA = {symbol: phone for phone, symbols in _IPA_ONE.items() for symbol in symbols}
_IPA_PAIRS = {
    "tʃ": "ch",
    "dʒ": "jh",
    "tɕ": "ch",
    "dʑ": "jh",
    "tʂ": "ch",
    "dʐ": "jh",
    "ts": "t s",
    "dz": "d z",
    "ɔ̃": "ow",
    "ɑ̃": "aa",
    "ɛ̃": "ae",
    "œ̃": "oe",
}
_IPA_MARKS = frozenset("\u030aˈˌːˑ‿͡.̩̪̥̬̃̆ʲʰʷˠ̯̝̞̠̟̤̰'|‖:ˤ˞̘̙̹̜̺̻-;^0123456789˥˦˧˨˩ ")

_ARPABET = {p: p for p in PHONES} | {
    "ay": "aa iy",
    "aw": "aa uw",
    "oy": "ao iy",
    "ow": "ow uw",
    "ey": "ey iy",
    "ax": "ax",
    "axr": "er",
    "el": "ax l",
    "em": "m",
    "en": "n",
    "nx": "n",
    "hv": "hh",
    "h#": PAUSE,
    "brth": PAUSE,
    "ssil": PAUSE,
}
_ROMANCE = {
    "#": PAUSE,
    "_": PAUSE,
    "pau": PAUSE,
    "a": "aa",
    "e": "ey",
    "E": "eh",
    "i": "iy",
    "o": "ow",
    "O": "ao",
    "u": "uw",
    "ax": "ax",
    "j": "y",
    "J": "ny",
    "L": "l",
    "S": "sh",
    "Z": "zh",
    "ts": "t s",
    "dz": "d z",
    "tS": "ch",
    "dZ": "jh",
    "r": "rr",
    "rr": "rr",
    "nf": "n",
    "ng": "ng",
} | {p: p for p in ("p", "b", "m", "f", "v", "t", "d", "n", "l", "s", "z", "k", "g", "w")}
_FINNISH = {
    "#": PAUSE,
    "##": PAUSE,
    "a": "aa",
    "e": "eh",
    "i": "iy",
    "o": "ow",
    "u": "uw",
    "y": "ue",
    "@": "ae",
    "7": "oe",
    "&": "ax",
    "h": "hh",
    "j": "y",
    "r": "rr",
    "N": "ng",
    "S": "sh",
    "T": "th",
    "L": "l",
} | {p: p for p in ("p", "b", "m", "f", "v", "t", "d", "n", "l", "s", "k", "g", "w")}
_CZECH = {
    "#": PAUSE,
    "_": "q",
    "a": "aa",
    "e": "eh",
    "i": "ih",
    "o": "ow",
    "u": "uw",
    "c": "t s",
    "c~": "ch",
    "ch": "x",
    "d~": "d",
    "dz": "d z",
    "dz~": "jh",
    "h": "hh",
    "j": "y",
    "n*": "ng",
    "n~": "ny",
    "r": "rr",
    "r~": "zh",
    "r~*": "sh",
    "s~": "sh",
    "t~": "t",
    "z~": "zh",
} | {p: p for p in ("p", "b", "m", "f", "v", "t", "d", "n", "l", "s", "z", "k", "g")}

_RUSSIAN = {
    PAUSE: PAUSE,
    "a": "aa",
    "aa": "aa",
    "ay": "ax",
    "ae": "ax",
    "i": "iy",
    "ii": "iy",
    "o": "ao",
    "oo": "ao",
    "e": "eh",
    "ee": "eh",
    "u": "uw",
    "uu": "uw",
    "ur": "uh",
    "y": "ih",
    "yy": "ih",
    "j": "y",
    "h": "x",
    "hh": "x",
    "c": "t s",
    "r": "rr",
    "rr": "rr",
    "sch": "sh",
    **{p: p for p in ("sh", "zh", "ch")},
    **{p * n: p for p in "bdfgklmnpstvz" for n in (1, 2)},
}
"""Doubled consonants are palatal, doubled vowels stressed."""

TABLES = {
    "arpabet": _ARPABET,
    "romance": _ROMANCE,
    "finnish": _FINNISH,
    "czech": _CZECH,
    "russian": _RUSSIAN,
}


def from_table(symbol: str, table: str) -> tuple[str, ...]:
    """Translate one engine symbol by a named table; BadInput for a symbol it lacks."""
    known = TABLES[table]
    plain = symbol.rstrip("1:") if symbol not in known else symbol
    if plain not in known:
        raise BadInput(f"The phone '{symbol}' is not in the table '{table}'.")
    return tuple(known[plain].split())


def from_ipa(text: str) -> tuple[str, ...]:
    """Translate a string of IPA (one phoneme event) into phones; empty means a pause.

    Marks of stress, length, tone and fine articulation are dropped. BadInput for unknown symbols.
    """
    found: list[str] = []
    k = 0
    while k < len(text):
        pair = text[k : k + 2]
        if pair in _IPA_PAIRS:
            found += _IPA_PAIRS[pair].split()
            k += 2
            continue
        symbol = text[k]
        if symbol in _IPA:
            found.append(_IPA[symbol])
        elif symbol not in _IPA_MARKS:
            raise BadInput(f"The IPA symbol {symbol!r} in '{text}' is not known.")
        k += 1
    return tuple(found) or (PAUSE,)


@dataclass(frozen=True)
class Phone:
    """One phone of `PHONES`, from `start` to `end` in seconds."""

    name: str
    start: float
    end: float
