"""Every error is JSON: ``{"error": code, "message": sentence, "field": path?}``."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from voiceroom_mixer.control.service import ApiError

_WORDS: Final = {
    404: ("not_found", "there is nothing here: the page of a room is /rooms/NAME"),
    405: ("method_not_allowed", "this resource does not know the method"),
    413: ("too_large", "the body is too large"),
}
_BODY_NOT_READ: Final = frozenset({408, 413})
"""The rest of the body would be taken for the next request."""


def from_api_error(error: ApiError) -> web.Response:
    """The answer that the error stands for."""
    response = web.json_response(error.to_dict(), status=error.status, headers=error.headers)
    if error.status in _BODY_NOT_READ:
        response.force_close()
    return response


def from_http_exception(error: web.HTTPException) -> web.Response:
    """The same for what aiohttp itself refuses: unknown paths, methods."""
    code, message = _WORDS.get(error.status, ("refused", error.reason))
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return from_api_error(ApiError(error.status, code, message, headers=headers))


def unexpected(log_id: str) -> web.Response:
    """A bug of ours: the client gets the number under which the log tells more."""
    message = f"something went wrong here; the log knows more under {log_id}"
    return from_api_error(ApiError(500, "internal", message))
