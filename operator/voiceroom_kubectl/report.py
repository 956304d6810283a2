"""What a mixer pod is asked on its admin port, such as its own report (``GET /admin/v1/status``):
over a forwarded port, with the pool's TLS and an admin token, as its Secret has them."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from voiceroom_api import names
from voiceroom_kubectl.cluster import Cluster, ClusterError, Object, Stream
from voiceroom_kubectl.forward import forwarded
from voiceroom_kubectl.tokens import Wanted, token

ADMIN_PORT_NAME: Final = "admin"
TIMEOUT_S: Final = 10.0
_MOST_BYTES: Final = 4 << 20
Over = Callable[[int], http.client.HTTPConnection]
"""A connection to a port of this machine."""


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Answer:
    """What came back: a JSON object."""

    status: int
    body: Mapping[str, Any]

    @property
    def refusal(self) -> str:
        """In words, of an answer that is an error."""
        said = self.body.get("message") or self.body.get("error") or "no reason given"
        return f"HTTP {self.status}: {said}"


def report(cluster: Cluster, pod: Object, now_s: float) -> Mapping[str, Any]:
    """Raises ``ClusterError``: also when the pod does not answer."""
    answer = ask(cluster, pod, now_s, Call("GET", "/admin/v1/status"))
    if answer.status != 200:
        name = pod["metadata"]["name"]
        raise ClusterError(f"the pod {name} does not answer: {answer.refusal}")
    return answer.body


def ask(cluster: Cluster, pod: Object, now_s: float, call: Call) -> Answer:
    """Raises ``ClusterError`` when the pod does not answer."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    pool = pod["metadata"].get("labels", {}).get(names.POOL_LABEL, "")
    number = admin_port(pod)
    if not number:
        raise ClusterError(f"the pod {name} has no port {ADMIN_PORT_NAME}")
    context = _context(cluster, namespace, f"voiceroom-{pool}")
    bearer = _bearer(cluster, namespace, pool, now_s)

    def over(port: int) -> http.client.HTTPConnection:
        return _Connection(port, context, f"mixer.{pool}.{namespace}")

    return exchange(cluster, pod, number, over, call, bearer)


def exchange(
    cluster: Cluster, pod: Object, number: int, over: Over, call: Call, bearer: str
) -> Answer:
    """One request to the port ``number`` of a pod. Raises ``ClusterError`` when it does not
    answer."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    told: list[str] = []

    def connect() -> Stream:
        return cluster.connect(namespace, name, number)

    with forwarded(connect, 0, told.append) as port:
        try:
            return _answer(over(port), call, bearer)
        except (OSError, ValueError, http.client.HTTPException) as error:
            why = told[0] if told else str(error) or type(error).__name__
            raise ClusterError(f"the pod {name} does not answer: {why}") from error


def admin_port(pod: Object) -> int:
    """Of its report; 0 when there is none."""
    return named_port(pod, ADMIN_PORT_NAME)


def named_port(pod: Object, wanted: str) -> int:
    """The port of that name; 0 when there is none."""
    for container in pod.get("spec", {}).get("containers", []):
        for port in container.get("ports", []):
            if port.get("name") == wanted:
                return int(port["containerPort"])
    return 0


def _bearer(cluster: Cluster, namespace: str, pool: str, now_s: float) -> str:
    """An admin's token; the room in it says nothing."""
    room = {"metadata": {"namespace": namespace, "name": "diagnose"}, "spec": {"poolName": pool}}
    return token(cluster, room, Wanted("admin", "kubectl", 60), now_s)


def _context(cluster: Cluster, namespace: str, secret: str) -> ssl.SSLContext:
    parts = {key: cluster.secret(namespace, secret, key) for key in _TLS}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cadata=parts["ca.crt"].decode())
        # the ssl module takes a key from a file only
        with tempfile.TemporaryDirectory() as folder:
            pair = Path(folder, "pair.pem")
            with os.fdopen(os.open(pair, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(parts["tls.key"] + parts["tls.crt"])
            context.load_cert_chain(pair)
    except (ssl.SSLError, ValueError) as error:
        raise ClusterError(f"the Secret {namespace}/{secret} cannot be used: {error}") from error
    return context


_TLS: Final = ("ca.crt", "tls.crt", "tls.key")


class _Connection(http.client.HTTPSConnection):
    """To a port of this machine, for the name of the pool's pods."""

    def __init__(self, port: int, context: ssl.SSLContext, server_name: str) -> None:
        super().__init__("127.0.0.1", port, timeout=TIMEOUT_S)
        self._of_pool, self._server_name = context, server_name

    def connect(self) -> None:
        """TLS with both sides verified."""
        http.client.HTTPConnection.connect(self)
        self.sock = self._of_pool.wrap_socket(self.sock, server_hostname=self._server_name)


def _answer(connection: http.client.HTTPConnection, call: Call, bearer: str) -> Answer:
    """Raises ``ValueError`` for what is no JSON object."""
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    body = None if call.body is None else json.dumps(call.body)
    try:
        connection.request(call.method, call.path, body, headers)
        answer = connection.getresponse()
        raw = answer.read(_MOST_BYTES)
    finally:
        connection.close()
    return Answer(answer.status, _object(raw, answer.status))


def _object(raw: bytes, status: int) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        raise ValueError(f"HTTP {status}: {raw[:200].decode(errors='replace')}") from None
    if not isinstance(body, dict):
        raise ValueError("its report is no JSON object")
    return body
