"""Bodies of requests: bounded in size, time and type; what is wrong is said."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final, NoReturn

from aiohttp import web
from aiohttp.web import RequestPayloadError

from voiceroom_mixer.control.service import ApiError

SDP_BYTES: Final = 64 * 1024
JSON_BYTES: Final = 16 * 1024
BODY_S: Final = 10.0
JSON: Final = "application/json"


async def read_json(request: web.Request, limit: int = JSON_BYTES) -> dict[str, Any]:
    """A JSON object of at most ``limit`` bytes. Raises ``ApiError`` 400, 408, 413, 415."""
    raw = await _read(request, limit, JSON)
    try:
        value = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "invalid_json", f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ApiError(400, "invalid_json", "the body must be a JSON object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


async def read_text(request: web.Request, content_type: str) -> str:
    """SDP or a fragment of it. Raises ``ApiError`` 400, 408, 413, 415."""
    raw = await _read(request, SDP_BYTES, content_type)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise ApiError(400, "invalid_sdp", "the body is not UTF-8") from error


async def _read(request: web.Request, limit: int, content_type: str) -> bytes:
    _check_type(request, content_type)
    return await read_raw(request, limit)


async def read_raw(request: web.Request, limit: int) -> bytes:
    """Whatever it is. Raises ``ApiError`` 400, 408, 413."""
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(BODY_S):
            return await _collect(request, limit)
    except TimeoutError as error:
        message = f"the body did not arrive within {BODY_S:.0f} s"
        raise ApiError(408, "timeout", message) from error
    except RequestPayloadError as error:
        raise ApiError(400, "invalid_body", "the body is not as its headers say") from error


def _check_type(request: web.Request, content_type: str) -> None:
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if request.content_type.lower() != content_type or encoding != "identity":
        name = "Accept-Patch" if request.method == "PATCH" else "Accept-Post"
        message = f"send {content_type}, not compressed"
        raise ApiError(415, "unsupported_type", message, headers={name: content_type})


async def _collect(request: web.Request, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> ApiError:
    message = f"the body is larger than {limit // 1024} KiB"
    return ApiError(413, "too_large", message)
