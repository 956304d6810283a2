"""Many WebRTC joins a second: each offers, checks, shakes hands, and leaves."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from harness.mixer import Mixer
from harness.webrtc import WebRtcLeg

WORKERS = 24


class Crowd:
    """One who joins comes with a token of his own, into one of the rooms in turn."""

    def __init__(self, mixer: Mixer, rooms: list[str]) -> None:
        self._mixer = mixer
        self._rooms = rooms
        self._tokens = [mixer.sign("speaker", room, "guest") for room in rooms]
        self.failures: list[str] = []
        self.connected = 0

    def join(self, a_second: int, seconds: float) -> float:
        """Join at that pace; how long it took, in seconds."""
        begin = time.monotonic()
        pause = threading.Event()
        with ThreadPoolExecutor(WORKERS) as workers:
            joins: list[Future[None]] = []
            for n in range(round(a_second * seconds)):
                pause.wait(max(0.0, begin + n / a_second - time.monotonic()))
                joins.append(workers.submit(self._one, n))
        for one in joins:
            error = one.exception()
            if error is None:
                self.connected += 1
            else:
                self.failures.append(str(error))
        return time.monotonic() - begin

    def _one(self, n: int) -> None:
        leg = WebRtcLeg(None)
        try:
            at = n % len(self._rooms)
            leg.signal(self._mixer, self._tokens[at], room=self._rooms[at])
            leg.connect()
            leg.say_goodbye()
        finally:
            leg.close()
