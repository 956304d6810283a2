"""Quantities as Kubernetes writes them: ``500m``, ``2``, ``512Mi`` (a subset of what it reads)."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

_PARTS: Final = re.compile(r"^([0-9]{1,15}(?:\.[0-9]{1,3})?)([a-zA-Z]{0,2})\Z")
_UNITS: Final = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{letter: Fraction(1000**power) for power, letter in enumerate("kMGT", 1)},
    **{f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGT", 1)},
}


def parse_quantity(text: str) -> Fraction:
    """CPUs or bytes. Raises ``ValueError`` for anything but a number with one of the units."""
    match = _PARTS.match(text)
    if not match or match[2] not in _UNITS:
        raise ValueError(f"{text!r} is not a quantity such as 500m, 2 or 512Mi")
    return Fraction(match[1]) * _UNITS[match[2]]
