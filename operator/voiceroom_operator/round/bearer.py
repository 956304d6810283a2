"""The Secret with the bearer token of ``POST /alerts``, which is made when it is missing."""

from __future__ import annotations

import logging
import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import Final

from voiceroom_operator.cluster.api import Api, ApiError
from voiceroom_operator.cluster.kinds import SECRETS
from voiceroom_operator.keys.material import data_of

SECRET: Final = "voiceroom-operator-alerts"
KEY: Final = "token"
_BYTES: Final = 32

_log = logging.getLogger(__name__)


class Bearer:
    """The token, as the Secret has it."""

    def __init__(
        self, api: Api, namespace: str, make: Callable[[int], str] = secrets.token_urlsafe
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._make = make
        self._token = b""

    def token(self) -> bytes:
        """Empty = not known."""
        return self._token

    async def refresh(self) -> None:
        """Read it, or make it. While it cannot be read the last that was known is good."""
        try:
            self._token = await self._read()
        except ApiError as error:
            _log.warning("the token of alerts cannot be had", extra={"error": str(error)})

    async def _read(self) -> bytes:
        try:
            found = await self._api.get(SECRETS, self._namespace, SECRET)
        except ApiError as error:
            if not error.is_missing:
                raise
            found = await self._create()
        return data_of(found).get(KEY, b"").strip()

    async def _create(self) -> dict[str, object]:
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": SECRET,
                "namespace": self._namespace,
                "labels": {
                    "app.kubernetes.io/part-of": "voiceroom",
                    "app.kubernetes.io/managed-by": "voiceroom-operator",
                },
            },
            "type": "Opaque",
            "data": {KEY: b64encode(self._make(_BYTES).encode()).decode()},
        }
        return dict(await self._api.create(SECRETS, self._namespace, body))
