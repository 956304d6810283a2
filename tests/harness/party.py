"""People and gateways of a test's rooms: legs that are closed when the test ends."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic

from typing_extensions import TypeVar

from harness.door import Answer, Door
from harness.mixer import Mixer
from harness.rtp import RtpLeg
from harness.webrtc import WebRtcLeg
from voiceroom_mixer.core.state.legstate import Role

D = TypeVar("D", bound=Door, default=Mixer)


class Party(Generic[D]):
    """A moderator who brings legs into rooms."""

    def __init__(self, mixer: D, home: str = "lobby") -> None:
        self.mixer, self.home = mixer, home
        self.token = self.sign("moderator")
        self.legs: list[RtpLeg] = []
        self.ids: list[str] = []

    def sign(self, role: Role, name: str = "tester") -> str:
        """A token for the home room."""
        return self.mixer.sign(role, self.home, name)

    def join(self, hz: float | None, name: str, host: str = "127.0.0.1") -> RtpLeg:
        """A plain-RTP leg that sends a tone, or Opus silence."""
        leg = RtpLeg(hz, host=host)
        self.legs.append(leg)
        answer = self.add(leg.port, name, ip=host)
        leg.start((answer["ip"], answer["port"]))
        return leg

    def add(self, port: int, name: str, **fields: Any) -> dict[str, Any]:
        """Signal a plain-RTP leg."""
        body = {"kind": "rtp", "ip": "127.0.0.1", "port": port, "payloadType": 111}
        body |= {"identity": name, "role": "speaker"} | fields
        status, answer, _ = self.call("POST", "/legs", body)
        assert status == 201, answer
        self.ids.append(answer["id"])
        return dict(answer)

    def dial(
        self,
        hz: float | None,
        name: str,
        *,
        role: Role = "speaker",
        token: str = "",
        levels: bool = False,
        stamps: bool = False,
        seq: int = 65_500,
        host: str = "127.0.0.1",
        **how: str,
    ) -> WebRtcLeg:
        """A WebRTC leg by WHIP, or as ``how`` says (``WebRtcLeg.join``)."""
        leg = WebRtcLeg(hz, levels=levels, host=host)
        leg.stamps = stamps
        leg.seq = seq
        self.legs.append(leg)
        leg.join(self.mixer, token or self.sign(role, name), room=self.home, **how)
        self.ids.append(leg.id)
        return leg

    def join_when_possible(self, hz: float | None, name: str, timeout_s: float = 20.0) -> RtpLeg:
        """Keep trying while nobody answers."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return self.join(hz, name)
            except (urllib.error.URLError, ConnectionError):
                self.legs.pop().close()
                assert time.monotonic() < deadline, "nobody answers"

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        """A request about the home room, as moderator unless said otherwise."""
        return self.mixer.call(method, f"/rooms/{self.home}{path}", token or self.token, body)

    def patch(self, leg: RtpLeg, **fields: Any) -> None:
        """Change a leg."""
        status, answer, _ = self.call("PATCH", f"/legs/{self.id(leg)}", fields)
        assert status == 200, answer

    def id(self, leg: RtpLeg) -> str:
        """The public id of a leg."""
        return self.ids[self.legs.index(leg)]

    def room(self) -> dict[str, Any]:
        """The room as JSON."""
        path = f"/rooms/{self.home}"
        _, room, _ = self.mixer.call("GET", path, self.token, Accept="application/json")
        return dict(room)

    def participant(self, leg: str) -> dict[str, Any]:
        """One leg as the room shows it."""
        return next(p for p in self.room()["participants"] if p["id"] == leg)

    def close(self) -> None:
        """Stop every leg."""
        for leg in self.legs:
            leg.close()


@contextmanager
def gathering(mixer: D, home: str = "lobby") -> Iterator[Party[D]]:
    """A party that is over at the end, whatever happens."""
    party = Party(mixer, home)
    try:
        yield party
    finally:
        party.close()
