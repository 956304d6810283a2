"""Headers on every answer: a strict policy for the page, nothing sniffed, nothing kept."""

from __future__ import annotations

from typing import Final

from aiohttp import web

PAGE_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "media-src blob: 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
"""For what is no page: a browser that is made to show it runs nothing."""

_EVERYWHERE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self)",
    "Server": "voiceroom",
}

CORS_METHODS: Final = "POST, PATCH, DELETE, OPTIONS"
_CORS: Final = {
    # A token travels in a header that no other site can set, and there is no cookie.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Retry-After, Accept-Patch, Accept-Post",
}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": CORS_METHODS,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
}


def is_cross_origin(request: web.BaseRequest) -> bool:
    """Whether the path is a WHIP or WHEP resource (RFC 9725 §4.2)."""
    parts = request.path.split("/")
    return len(parts) in (4, 5) and parts[1] == "rooms" and parts[3] in ("whip", "whep")


def preflight(response: web.StreamResponse) -> None:
    """What a browser asks before it sends a cross-origin request."""
    response.headers.update(_PREFLIGHT)


async def add_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """A signal of aiohttp: called for every answer, errors included."""
    headers = response.headers
    is_page = response.content_type == "text/html"
    headers.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else DATA_POLICY)
    headers.setdefault("Cache-Control", "no-store")
    headers.update(_EVERYWHERE)
    if is_cross_origin(request):
        headers.update(_CORS)
