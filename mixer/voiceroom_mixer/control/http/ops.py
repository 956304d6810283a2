"""For probes and Prometheus: no token, no limit, no secret."""

from __future__ import annotations

from aiohttp import web

from voiceroom_mixer.control.http.context import context_of


async def healthz(request: web.Request) -> web.Response:
    """GET /healthz: 503 only for what a restart of the container cures."""
    alive = context_of(request).operations.alive()
    return web.json_response({"alive": alive}, status=200 if alive else 503)


async def readyz(request: web.Request) -> web.Response:
    """GET /readyz: 503 with the reasons."""
    operations = context_of(request).operations
    reasons = operations.unready()
    answer: dict[str, object] = {"ready": not reasons, "reasons": reasons}
    detail = operations.detail()
    if detail:
        answer["detail"] = detail
    return web.json_response(answer, status=503 if reasons else 200)


async def metrics(request: web.Request) -> web.Response:
    """GET /metrics: OpenMetrics where the scraper asks for it, else the text format."""
    exposed, content_type = context_of(request).operations.expose(request.headers.get("Accept", ""))
    return web.Response(body=exposed, headers={"Content-Type": content_type})


async def clockz(request: web.Request) -> web.Response:
    """GET /clockz: calibration, grade, scheduling, tick figures."""
    return web.json_response(context_of(request).operations.clockz())


def probe_routes() -> list[web.RouteDef]:
    """Liveness and readiness."""
    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


def metrics_routes() -> list[web.RouteDef]:
    """What is measured."""
    return [web.get("/metrics", metrics), web.get("/clockz", clockz)]
