"""Why the door does not do what it is asked for."""

from __future__ import annotations


class Refused(Exception):
    """Becomes an HTTP answer; the message names the field or the thing, and the way out."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error, self.message = status, error, message


def invalid(field: str, message: str) -> Refused:
    """422: ``field`` of the order is wrong."""
    return Refused(422, "invalid", f"{field}: {message}")
