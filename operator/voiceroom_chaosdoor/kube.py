"""The few calls of the API server that the door makes, with the token of its pod."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT_S: Final = 5.0
_MOST_BYTES: Final = 4 << 20


class KubeError(Exception):
    """The API server refuses, or cannot be reached (status 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Kube(Protocol):
    """Every call raises ``KubeError``."""

    def pod(self, namespace: str, name: str) -> Mapping[str, Any]:
        """As it is now."""

    def secret(self, namespace: str, name: str) -> Mapping[str, Any]:
        """Whole."""

    def create_secret(self, namespace: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """As it was made; ``KubeError`` 409 where there is one."""

    def create_event(self, namespace: str, body: Mapping[str, Any]) -> None:
        """One more."""


@dataclass(frozen=True, slots=True)
class Right:
    """Verbs on one resource; the chart is tested against them."""

    resource: str
    verbs: tuple[str, ...]
    why: str
    scope: str
    """watched: in each namespace whose rooms are run. own: in the one that the door is in."""


RIGHTS: Final = (
    Right("pods", ("get",), "whether it is a mixer on this node", "watched"),
    Right("events", ("create",), "what was begun and ended", "watched"),
    Right("secrets", ("create", "get"), "the bearer token of orders", "own"),
)


class ApiServer:
    """The one of the cluster that this pod is in. A connection for each call: they are rare."""

    def __init__(self, host: str, port: int, account: Path = ACCOUNT) -> None:
        """Raises ``OSError`` without a service account."""
        self._host, self._port, self._account = host, port, account
        self._context = ssl.create_default_context(cafile=str(account / "ca.crt"))

    def pod(self, namespace: str, name: str) -> Mapping[str, Any]:
        """See ``Kube``."""
        return self._call("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")

    def secret(self, namespace: str, name: str) -> Mapping[str, Any]:
        """See ``Kube``."""
        return self._call("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")

    def create_secret(self, namespace: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """See ``Kube``."""
        return self._call("POST", f"/api/v1/namespaces/{namespace}/secrets", body)

    def create_event(self, namespace: str, body: Mapping[str, Any]) -> None:
        """See ``Kube``."""
        self._call("POST", f"/api/v1/namespaces/{namespace}/events", body)

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=_TIMEOUT_S, context=self._context
        )
        try:
            # the kubelet renews it
            token = (self._account / "token").read_text(encoding="ascii").strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            found = json.loads(answer.read(_MOST_BYTES))
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise KubeError(0, f"the API server does not answer: {error}") from error
        finally:
            connection.close()
        if answer.status >= 300:
            raise KubeError(answer.status, str(found.get("message") or f"HTTP {answer.status}"))
        return dict(found)
