"""Around every handler: errors become answers, every answer is counted and, bounded, logged."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.control.http import access, errors
from voiceroom_mixer.control.http.context import context_of
from voiceroom_mixer.control.service import ApiError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"})
_QUIET: Final = frozenset(
    {"/healthz", "/readyz", "/metrics", "/clockz", "/assets/{name}", "unmatched"}
)
"""Routes that are asked for all the time, or by anybody: not in the access log."""


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No exception passes but that of a client that has gone."""
    context = context_of(request)
    began_ns = context.now_ns()
    try:
        if request.match_info.http_exception is not None:
            access.count_anonymous(request)
        response = await handler(request)
    except ApiError as error:
        response = errors.from_api_error(error)
    except web.HTTPException as error:
        response = errors.from_http_exception(error)
    except (ConnectionError, asyncio.CancelledError):
        _count(request, 499)
        raise
    except Exception:
        response = _unexpected(request)
    _count(request, response.status)
    _write_log(request, response.status, context.now_ns() - began_ns)
    return response


def _unexpected(request: web.Request) -> web.Response:
    log_id = secrets.token_hex(6)
    _log.exception("request failed", extra={"log_id": log_id, "route": _route(request)})
    return errors.unexpected(log_id)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return "unmatched" if resource is None else resource.canonical


def _count(request: web.Request, status: int) -> None:
    method = request.method if request.method in _METHODS else "other"
    context_of(request).numbers.count(
        "voiceroom_http_requests_total",
        route=_route(request),
        method=method,
        status=str(status),
    )


def _write_log(request: web.Request, status: int, took_ns: int) -> None:
    """The path without its query, where a token may stand."""
    if _route(request) in _QUIET:
        return
    fields = {
        "method": request.method,
        "path": request.path,
        "status": status,
        "ms": round(took_ns / NS_PER_MS, 1),
        "source": access.source_of(request).address,
    }
    _log.info("request", extra=fields)
