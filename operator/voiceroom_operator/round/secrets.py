"""Secrets that people refer to: PINs of rooms, accounts of TURN servers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, Final

from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.voiceroom import PinSecretRef
from voiceroom_operator.cluster.api import Api, ApiError
from voiceroom_operator.cluster.kinds import SECRETS
from voiceroom_operator.edge.clock import Clock
from voiceroom_operator.keys.material import LOOK_AGAIN_S, data_of


class SecretReader:
    """Reads each once a minute at most: Secrets are neither listed nor watched."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, Mapping[str, bytes]]] = {}

    async def read(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """Its data; empty when there is no such Secret. While it cannot be read the last that
        was known is good. Raises ``ApiError`` when nothing is known."""
        at_s, known = self._known.get((namespace, name), (float("-inf"), None))
        now_s = self._clock.monotonic_s()
        if known is not None and now_s - at_s < LOOK_AGAIN_S:
            return known
        try:
            found = data_of(await self._api.get(SECRETS, namespace, name))
        except ApiError as error:
            if not error.is_missing and known is None:
                raise
            found = {} if error.is_missing else dict(known or {})
        self._known[namespace, name] = (now_s, found)
        return found

    def now_s(self) -> float:
        """By the clock of ``until_s``."""
        return self._clock.monotonic_s()

    def until_s(self, namespace: str, names: Iterable[str]) -> float:
        """Until when what was read of all these is good."""
        known = (self._known.get((namespace, name)) for name in names)
        read_s = (found[0] if found else float("-inf") for found in known)
        return min(read_s, default=float("inf")) + LOOK_AGAIN_S

    def keep(self, namespace: str, used: set[str]) -> None:
        """Forget all others of the namespace."""
        self._known = {
            key: value
            for key, value in self._known.items()
            if key[0] != namespace or key[1] in used
        }

    async def pin_hash(self, namespace: str, uid: str, ref: PinSecretRef) -> str:
        """``SALT:HEX`` as mixers check it; the salt is the room's uid, so that the same PIN makes
        the same document. Empty when there is no such PIN: then tokens are the only way in."""
        raw = (await self.read(namespace, ref.name)).get(ref.key, b"").strip()
        if not raw:
            return ""
        return f"{uid}:{hmac.new(uid.encode(), raw, hashlib.sha256).hexdigest()}"

    async def ice_servers(self, namespace: str, spec: MixerPoolSpec) -> list[dict[str, Any]]:
        """As clients are told: with the account that the Secret holds."""
        return [
            {"urls": list(server.urls)}
            | await self._account(namespace, server.secret_ref.name if server.secret_ref else "")
            for server in spec.network.ice_servers
        ]

    async def _account(self, namespace: str, name: str) -> dict[str, str]:
        data = await self.read(namespace, name) if name else {}
        return {key: data[key].decode(errors="replace") for key in _ACCOUNT if key in data}


_ACCOUNT: Final = ("username", "credential")


def secrets_of(spec: MixerPoolSpec) -> set[str]:
    """Names of the Secrets that a pool refers to."""
    return {s.secret_ref.name for s in spec.network.ice_servers if s.secret_ref is not None}
