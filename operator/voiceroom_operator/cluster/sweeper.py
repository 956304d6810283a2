"""The safety net below the watch streams: what they missed is found by listing.

A stream that broke may have missed deletions, and one that died says nothing at all. A sweep
lists metadata only, drops what is gone and fetches what is newer than the mirror's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from voiceroom_operator.cluster.api import Api, ApiError, Body, Listing
from voiceroom_operator.cluster.kinds import Kind
from voiceroom_operator.cluster.mirror import Mirror, version

SINGLY: Final = 20
"""Up to so many objects are fetched one by one, more by listing them whole."""

_log = logging.getLogger(__name__)
_Key = tuple[str, str]


class Sweeper:
    """Puts the mirror right."""

    def __init__(self, api: Api, mirror: Mirror, missed: Callable[[str], None]) -> None:
        """``missed``: told the plural of each object that no stream had told of."""
        self._api = api
        self._mirror = mirror
        self._missed = missed
        self._late: dict[tuple[Kind, str], set[tuple[_Key, int]]] = {}

    async def fill(self, kind: Kind, namespace: str) -> None:
        """The first look: everything, whole. Raises ``ApiError``."""
        for body in (await self._api.list(kind, namespace)).items:
            self._mirror.put(kind, body)

    async def sweep(self, kind: Kind, namespace: str) -> bool:
        """Compare once; whether news was late. Raises ``ApiError``."""
        listing = await self._api.list(kind, namespace, metadata_only=True)
        self._bury(kind, namespace, listing)
        known = self._mirror.keys(kind)
        newer = {
            _key(item): item
            for item in listing.items
            if _version(item) > version(known.get(_key(item), ""))
        }
        # news that is on its way is not late: it is, when the next sweep finds it again
        fresh = {(key, _version(item)) for key, item in newer.items()}
        late = fresh & self._late.get((kind, namespace), set())
        self._late[kind, namespace] = fresh - late
        await self._fetch(kind, namespace, {key for key, _ in late})
        return bool(late)

    def _bury(self, kind: Kind, namespace: str, listing: Listing) -> None:
        present = {_key(item): item["metadata"].get("uid") for item in listing.items}
        for (found_in, name), at in self._mirror.keys(kind).items():
            if namespace and kind.namespaced and found_in != namespace:
                continue
            body = self._mirror.get(kind, found_in, name)
            is_older = version(at) <= version(listing.resource_version)
            uid = body["metadata"].get("uid") if body else None
            if body is not None and is_older and present.get((found_in, name)) != uid:
                self._missed(kind.plural)
                self._mirror.drop(kind, found_in, name, str(uid))

    async def _fetch(self, kind: Kind, namespace: str, late: set[_Key]) -> None:
        for _ in late:
            self._missed(kind.plural)
        if late:
            _log.warning("streams missed news", extra={"kind": kind.kind, "count": len(late)})
        if len(late) > SINGLY:
            await self.fill(kind, namespace)
            return
        for found_in, name in late:
            try:
                self._mirror.put(kind, await self._api.get(kind, found_in, name))
            except ApiError as error:
                if not error.is_missing:
                    raise


def _key(item: Body) -> _Key:
    metadata = item["metadata"]
    return str(metadata.get("namespace", "")), str(metadata["name"])


def _version(item: Body) -> int:
    return version(str(item["metadata"].get("resourceVersion", "")))
