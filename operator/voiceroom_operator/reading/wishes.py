"""What people ask for by an annotation: a JSON object with an id of their own (contract §11)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

UNREADABLE: Final = "unreadable"
"""The id of a wish whose id cannot be read."""
WHY_CHARS: Final = 256
_ID: Final = re.compile(r"[A-Za-z0-9][-._A-Za-z0-9]{0,62}")


def wish_of(
    body: Mapping[str, Any], annotation: str, example: str
) -> Mapping[str, Any] | str | None:
    """The object, whose ``id`` is one; in words what is wrong with it; None = nobody asks."""
    text = (body["metadata"].get("annotations") or {}).get(annotation)
    if text is None:
        return None
    try:
        said = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return f"it is not an object such as {example}"
    given = said.get("id")
    if not isinstance(given, str) or not _ID.fullmatch(given):
        return "id must be 1 to 63 letters, digits, -, _ and ., the first a letter or digit"
    return said
