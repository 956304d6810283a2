"""Watch streams by kopf. It only brings news: nothing of kopf's is ever written to an object.

Only event handlers are registered, since daemons, timers and change handlers put finalizers and
annotations on what they watch. A stream that kopf gives up is begun again by the caller.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final

from voiceroom_operator.cluster.api import Body
from voiceroom_operator.cluster.kinds import POD_SELECTOR, Kind

if TYPE_CHECKING:
    import kopf
    from kubernetes.aio.client import Configuration

OnEvent = Callable[[Kind, str | None, Body], None]
"""Kind, type (None: it was listed; ADDED, MODIFIED, DELETED) and the object."""

SERVER_TIMEOUT_S: Final = 300
INACTIVITY_S: Final = 70.0
RETRY_S: Final = 1.0
_STOP: Final = "stop-flag checker"
"""kopf's task that ends when the process is to: by SIGTERM, SIGINT, or the flag."""
_IDENTITY: Final[Any] = "voiceroom-operator"
"""For peering, which is off; by itself kopf asks for the user's name, and in a container the user
has none."""


class Streams:
    """One stream a kind (and a namespace)."""

    def __init__(
        self, configuration: Configuration, namespaces: Collection[str], on_event: OnEvent
    ) -> None:
        """``namespaces`` empty = all of them."""
        self._configuration = configuration
        self._namespaces = tuple(namespaces)
        self._on_event = on_event

    async def run(self, kinds: Collection[Kind], stop: asyncio.Event) -> None:
        """Until ``stop``, or until SIGTERM or SIGINT, which kopf takes while it runs. Raises what
        kopf raises when it gives up."""
        import kopf

        registry = kopf.OperatorRegistry()
        for kind in kinds:
            self._register(registry, kind)
        kopf.on.login(registry=registry)(self._login)
        tasks = await kopf.spawn_tasks(
            registry=registry,
            settings=_settings(),
            standalone=True,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=stop,
            identity=_IDENTITY,
        )
        await _first_of(tasks)

    def _register(self, registry: kopf.OperatorRegistry, kind: Kind) -> None:
        import kopf

        async def pass_on(event: Any, **_: Any) -> None:
            self._on_event(kind, event["type"], event["object"])

        kopf.on.event(kind.group, kind.version, kind.plural, registry=registry)(pass_on)

    async def _login(self, **_: Any) -> kopf.ConnectionInfo:
        import kopf

        found = self._configuration
        bearer = await found.get_api_key_with_prefix("BearerToken", alias="authorization")
        scheme, _space, token = (bearer or "").partition(" ")
        return kopf.ConnectionInfo(
            server=found.host,
            ca_path=found.ssl_ca_cert,
            insecure=not found.verify_ssl,
            scheme=scheme if token else None,
            token=token or scheme or None,
            certificate_path=found.cert_file,
            private_key_path=found.key_file,
        )


async def _first_of(tasks: Collection[asyncio.Task[None]]) -> None:
    """Until the first has ended, and then all. Raises what any raised, and ``RuntimeError`` where
    one has just ended that is not there to end: returning means that the process is to end.

    ``kopf.run_tasks`` does the same and then cancels whatever began in the loop after it: with us
    that is everything else that the operator does.
    """
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
    names = {task.get_name() for task in done}
    if _STOP not in names:
        raise RuntimeError(f"kopf's {', '.join(sorted(names))} ended")


def _settings() -> kopf.OperatorSettings:
    import kopf

    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.process.ultimate_exiting_timeout = None  # it kills the process by SIGKILL
    settings.networking.request_timeout = 30.0
    settings.networking.connect_timeout = 5.0
    # an endless iterable for each request: an API server may be away for long
    settings.networking.error_backoffs = _Endless(RETRY_S)
    settings.watching.server_timeout = SERVER_TIMEOUT_S
    settings.watching.client_timeout = SERVER_TIMEOUT_S + 10
    settings.watching.connect_timeout = 5.0
    settings.watching.inactivity_timeout = INACTIVITY_S
    settings.watching.reconnect_backoff = RETRY_S
    settings.watching.label_selectors["v1", "pods"] = POD_SELECTOR
    return settings


class _Endless:
    """The same pause again and again, from the start for each who asks."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s

    def __iter__(self) -> itertools.repeat[float]:
        return itertools.repeat(self._pause_s)
