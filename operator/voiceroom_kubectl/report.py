"""A mixer pod's own report (``GET /admin/v1/status``): over a forwarded port, with the pool's TLS
and an admin token, as its Secret has them."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from voiceroom_api import names
from voiceroom_kubectl.cluster import Cluster, ClusterError, Object, Stream
from voiceroom_kubectl.forward import forwarded
from voiceroom_kubectl.tokens import Wanted, token

ADMIN_PORT_NAME: Final = "admin"
_TIMEOUT_S: Final = 10.0
_MOST_BYTES: Final = 4 << 20


def report(cluster: Cluster, pod: Object, now_s: float) -> Mapping[str, Any]:
    """Raises ``ClusterError``: also when the pod does not answer."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    pool = pod["metadata"].get("labels", {}).get(names.POOL_LABEL, "")
    number = admin_port(pod)
    if not number:
        raise ClusterError(f"the pod {name} has no port {ADMIN_PORT_NAME}")
    context = _context(cluster, namespace, f"voiceroom-{pool}")
    bearer = _bearer(cluster, namespace, pool, now_s)
    told: list[str] = []

    def connect() -> Stream:
        return cluster.connect(namespace, name, number)

    with forwarded(connect, 0, told.append) as port:
        try:
            return _get(port, context, f"mixer.{pool}.{namespace}", bearer)
        except (OSError, ValueError, http.client.HTTPException) as error:
            why = told[0] if told else str(error) or type(error).__name__
            raise ClusterError(f"the pod {name} does not answer: {why}") from error


def admin_port(pod: Object) -> int:
    """The port of that name; 0 when there is none."""
    for container in pod.get("spec", {}).get("containers", []):
        for port in container.get("ports", []):
            if port.get("name") == ADMIN_PORT_NAME:
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
        super().__init__("127.0.0.1", port, timeout=_TIMEOUT_S)
        self._of_pool, self._server_name = context, server_name

    def connect(self) -> None:
        """TLS with both sides verified."""
        http.client.HTTPConnection.connect(self)
        self.sock = self._of_pool.wrap_socket(self.sock, server_hostname=self._server_name)


def _get(port: int, context: ssl.SSLContext, server_name: str, bearer: str) -> Mapping[str, Any]:
    connection = _Connection(port, context, server_name)
    try:
        headers = {"Authorization": f"Bearer {bearer}"}
        connection.request("GET", "/admin/v1/status", headers=headers)
        answer = connection.getresponse()
        raw = answer.read(_MOST_BYTES)
    finally:
        connection.close()
    if answer.status != 200:
        raise ValueError(f"HTTP {answer.status}: {raw[:200].decode(errors='replace')}")
    body = json.loads(raw)
    if not isinstance(body, dict):
        raise ValueError("its report is no JSON object")
    return body
