"""Join links of a running mixer, for anybody, also such as no mixer would give out."""

from __future__ import annotations

import time
from typing import Protocol

from harness.mixer import LOBBY, Mixer
from voiceroom_mixer.control.auth.keyfile import load
from voiceroom_mixer.control.auth.tokens import sign
from voiceroom_mixer.core.state.legstate import Role

HOUR_S = 3600


class StartMixer(Protocol):
    """Starts a mixer that ends with the test."""

    def __call__(self, *options: str, documents: str = LOBBY) -> Mixer: ...


def link(
    mixer: Mixer, name: str, role: Role = "speaker", *, room: str = "lobby", ttl_s: float = HOUR_S
) -> str:
    """The page's address with a token; a negative ``ttl_s``: one that ran out so long ago."""
    keys = load(mixer.folder / "voiceroom" / "keys.json")
    token = sign(keys, sub=name, room=room, role=role, now_s=time.time(), ttl_s=ttl_s)
    return f"{mixer.base}/rooms/{room}?token={token}"
