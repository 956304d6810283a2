"""The half of signalling that needs aiortc's SDP and OpenSSL: slow to import, so it is loaded
beside the running HTTP, and joins wait for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from voiceroom_mixer.control.signalling.pacing import HandshakePacer
from voiceroom_mixer.edge.shm import BlobTable

if TYPE_CHECKING:
    from voiceroom_mixer.control.signalling.stack import WebRtc


class LazyWebRtc:
    """Makes the one ``WebRtc`` in a thread, once; ``table`` keeps the certificate."""

    def __init__(self, table: BlobTable, pacer: HandshakePacer) -> None:
        self._table = table
        self._pacer = pacer
        self._loading: asyncio.Future[WebRtc] | None = None

    @property
    def loaded(self) -> bool:
        """Joins no longer wait."""
        return self._loading is not None and self._loading.done()

    def load(self) -> asyncio.Future[WebRtc]:
        """Begin, on the running loop."""
        if self._loading is None:
            loop = asyncio.get_running_loop()
            self._loading = loop.run_in_executor(None, _make, self._table, self._pacer)
        return self._loading

    async def get(self) -> WebRtc:
        """The stack, loaded. Raises what the import raised."""
        return await asyncio.shield(self.load())

    async def settle(self) -> None:
        """Wait for a load that has begun, so that no thread is left behind."""
        if self._loading is not None:
            await asyncio.wait([self._loading])


def _make(table: BlobTable, pacer: HandshakePacer) -> WebRtc:
    from voiceroom_mixer.control.signalling.stack import WebRtc

    return WebRtc(table, pacer)
