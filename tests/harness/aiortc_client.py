"""A stock ``aiortc`` client on an event loop of its own: the mixer as a library sees it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError
from av import AudioFrame
from numpy.typing import NDArray

from harness.door import Door
from harness.tones import RATE, tone

T = TypeVar("T")


class LoopThread:
    """An event loop in a thread, so that tests stay plain functions."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float = 20.0) -> T:
        """The result of a coroutine."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def close(self) -> None:
        """Cancel what is left and stop."""
        self.run(_cancel_rest())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def _cancel_rest() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


class ToneTrack(AudioStreamTrack):
    """A sine, paced by aiortc."""

    def __init__(self, hz: float) -> None:
        super().__init__()
        self._hz, self._at = hz, 0

    async def recv(self) -> AudioFrame:
        """20 ms of it."""
        await super().recv()  # its pace
        pcm = (tone(self._hz, self._at, 960) * 32_767).astype(np.int16)
        frame = AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), self._at
        self._at += 960
        return frame


class AiortcClient:
    """Joins by WHIP; ``pcm`` grows with what it hears, mono at 48 kHz."""

    def __init__(self, loop: LoopThread, mixer: Door, token: str, room: str, hz: float) -> None:
        self._loop, self._mixer, self._token = loop, mixer, token
        self._room, self._hz = room, hz
        self.heard: list[NDArray[np.float32]] = []
        self.location = ""
        self.connection: RTCPeerConnection | None = None

    def join(self) -> None:
        """Offer, answer, connected."""
        text = self._loop.run(self._offer())
        path = f"/rooms/{self._room}/whip"
        kind = "application/sdp"
        status, answer, headers = self._mixer.call(
            "POST", path, self._token, text, Content_Type=kind
        )
        assert status == 201, answer
        self.location = headers["Location"]
        self._loop.run(self._answered(answer))

    async def _offer(self) -> str:
        self.connection = RTCPeerConnection()
        self.connection.on("track", self._on_track)
        self.connection.addTrack(ToneTrack(self._hz))
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def _answered(self, sdp: str) -> None:
        assert self.connection is not None
        connected = asyncio.Event()

        def changed() -> None:
            assert self.connection is not None
            if self.connection.connectionState == "connected":
                connected.set()

        self.connection.on("connectionstatechange", changed)
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        changed()
        await connected.wait()

    def _on_track(self, track: Any) -> None:
        self._loop.loop.create_task(self._listen(track))

    async def _listen(self, track: Any) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))
            self.heard.append((samples[:, 0] / 32_768.0).astype(np.float32))

    def stats(self) -> dict[str, Any]:
        """aiortc's own figures by type: what it read of our reports is in ``remote-*``."""
        assert self.connection is not None
        found = self._loop.run(self.connection.getStats())
        return {value.type: value for value in found.values()}

    def close(self) -> None:
        """Hang up."""
        if self.connection is not None:
            self._loop.run(self.connection.close())
