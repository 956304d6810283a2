"""The Secret with the token that orders are given with; the first door makes it."""

from __future__ import annotations

import hmac
import logging
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from voiceroom_api import names
from voiceroom_chaosdoor.kube import Kube, KubeError

KEY: Final = "token"
_BYTES: Final = 32
_log = logging.getLogger(__name__)


class Bearer:
    """One token for the doors of all nodes."""

    def __init__(
        self, kube: Kube, namespace: str, make: Callable[[int], str] = secrets.token_urlsafe
    ) -> None:
        self._kube, self._namespace, self._make = kube, namespace, make
        self._token = b""

    @property
    def known(self) -> bool:
        """Whether orders can be taken."""
        return bool(self._token)

    def fits(self, header: str) -> bool:
        """Whether ``Authorization`` has it; takes the same time whatever is wrong."""
        given = header.removeprefix("Bearer ").encode()
        return hmac.compare_digest(given, self._token) and bool(self._token)

    def refresh(self) -> None:
        """Read it, or make it. While it cannot be read the last that was known is good."""
        try:
            self._token = self._read()
        except KubeError as error:
            _log.warning("the token of orders cannot be had", extra={"error": str(error)})

    def _read(self) -> bytes:
        try:
            found = self._kube.secret(self._namespace, names.CHAOS_SECRET)
        except KubeError as error:
            if error.status != 404:
                raise
            found = self._create()
        return b64decode((found.get("data") or {}).get(KEY, "")).strip()

    def _create(self) -> Mapping[str, Any]:
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": names.CHAOS_SECRET,
                "namespace": self._namespace,
                "labels": {
                    "app.kubernetes.io/part-of": "voiceroom",
                    "app.kubernetes.io/managed-by": "voiceroom-chaos-door",
                },
            },
            "type": "Opaque",
            "data": {KEY: b64encode(self._make(_BYTES).encode()).decode()},
        }
        try:
            return self._kube.create_secret(self._namespace, body)
        except KubeError as error:
            if error.status != 409:
                raise
            # the door of another node was first
            return self._kube.secret(self._namespace, names.CHAOS_SECRET)
