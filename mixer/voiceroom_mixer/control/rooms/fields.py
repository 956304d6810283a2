"""Fields of JSON bodies: present, of the right kind, in range; else 422 that names the field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from voiceroom_mixer.control.service import ApiError


def invalid(field: str, message: str) -> ApiError:
    """422 for one field; ``message`` says what is allowed."""
    return ApiError(422, "invalid_field", f"{field}: {message}", field=field)


def only(body: Mapping[str, Any], allowed: Collection[str]) -> None:
    """Refuse unknown fields and a body without any."""
    for name in body:
        if name not in allowed:
            shown = name if len(name) <= 64 else name[:64] + "..."
            raise invalid(shown, f"is not known here; known are {', '.join(sorted(allowed))}")
    if not body:
        raise ApiError(
            422, "empty_body", f"nothing to change: give some of {', '.join(sorted(allowed))}"
        )


def boolean(body: Mapping[str, Any], name: str) -> bool | None:
    """True or false; None when absent."""
    if name not in body:
        return None
    value = body[name]
    if not isinstance(value, bool):
        raise invalid(name, "must be true or false")
    return value


def number(value: object, field: str, low: float, high: float) -> float:
    """A finite number within ``low .. high``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(field, f"must be a number from {low:g} to {high:g}")
    if not low <= value <= high:
        raise invalid(field, f"must be from {low:g} to {high:g}")
    return float(value)


def integer(
    body: Mapping[str, Any], name: str, low: int, high: int, default: int | None = None
) -> int:
    """A whole number within ``low .. high``; required where there is no default."""
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        required = "is required, " if default is None else "must be "
        raise invalid(name, f"{required}a whole number from {low} to {high}")
    return value


def text(body: Mapping[str, Any], name: str, default: str, longest: int) -> str:
    """Printable text of 1 to ``longest`` characters."""
    value = body.get(name, default)
    if not isinstance(value, str) or not 1 <= len(value) <= longest or not value.isprintable():
        raise invalid(name, f"must be 1 to {longest} printable characters")
    return value
