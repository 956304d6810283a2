"""Reads of a cluster by one connection that stays.

A test that waits asks many times a second. Each `kubectl get` is a process that starts, and takes a
tenth of a second of a CPU from the mixers that the test looks at.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from localcluster.failure import ClusterError
from voiceroom_api import names

Body = dict[str, Any]
_OURS: Final = f"/apis/{names.API_VERSION}"
_TIMEOUT_S: Final = (5.0, 30.0)
"""To connect, and to answer."""
_PATHS: Final = {
    "voiceroom": (_OURS, "voicerooms"),
    "mixerpool": (_OURS, "mixerpools"),
    "pod": ("/api/v1", "pods"),
    "secret": ("/api/v1", "secrets"),
    "service": ("/api/v1", "services"),
    "event": ("/api/v1", "events"),
    "poddisruptionbudget": ("/apis/policy/v1", "poddisruptionbudgets"),
}


def is_known(kind: str) -> bool:
    """Whether ``Reads`` can be asked for it; everything else is kubectl's."""
    return kind.removesuffix("s") in _PATHS


class Reads:
    """Objects of namespaces, as the API server has them."""

    def __init__(self, kubeconfig: Path) -> None:
        settings = client.Configuration()
        cast(Any, config).load_kube_config(str(kubeconfig), client_configuration=settings)
        self._api = client.ApiClient(settings)

    def get(self, namespace: str, kind: str, name: str) -> Body:
        """One object. Raises: ClusterError when it is not there."""
        return self._ask(f"{_collection(namespace, kind)}/{name}", {})

    def all(self, namespace: str, kind: str, selector: str = "") -> list[Body]:
        """All of a kind. Raises: ClusterError when the API server does not say."""
        query = {"labelSelector": selector} if selector else {}
        return list(self._ask(_collection(namespace, kind), query)["items"])

    def _ask(self, path: str, query: dict[str, str]) -> Body:
        prepared = self._api.param_serialize(
            "GET",
            path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        try:
            response: Any = self._api.call_api(*prepared, _request_timeout=_TIMEOUT_S)
            data: bytes = response.read()
        except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterError(f"GET {path}: {error}") from error
        body: Body = json.loads(data)
        if response.status >= 300:
            raise ClusterError(f"GET {path}: {body.get('message', response.status)}")
        return body


def _collection(namespace: str, kind: str) -> str:
    prefix, plural = _PATHS[kind.removesuffix("s")]
    return f"{prefix}/namespaces/{namespace}/{plural}"


@cache
def reads(kubeconfig: Path) -> Reads:
    """The connection of this process to that cluster."""
    return Reads(kubeconfig)
