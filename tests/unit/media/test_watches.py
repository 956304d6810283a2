"""How often a media process says that it runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

import pytest

from voiceroom_mixer.core.moving.messages import Beat, Message
from voiceroom_mixer.core.moving.watch import BEAT_NS
from voiceroom_mixer.media.moving.post import Post
from voiceroom_mixer.media.moving.watches import Watches

TICK_NS = 20_000_000
SECOND_NS = 1_000_000_000
BEGUN_NS = 10 * SECOND_NS


@dataclass
class Mailbag:
    """A post that keeps what it is given."""

    pod: bytes = b"p" * 8
    peers: tuple[bytes, ...] = (b"peer",)
    sent: list[tuple[frozenset[bytes], Message]] = field(default_factory=list)

    def send_all(self, paths: Iterable[bytes], message: Message) -> None:
        self.sent.append((frozenset(paths), message))


@dataclass
class Process:
    bag: Mailbag = field(default_factory=Mailbag)
    now_ns: int = BEGUN_NS

    def __post_init__(self) -> None:
        self.watches = Watches(cast("Post", self.bag), bytes)

    def run(self, for_ns: int) -> list[Message]:
        """What it says in that time."""
        self.bag.sent.clear()
        for _ in range(for_ns // TICK_NS):
            self.watches.beat([b"twin", b""], self.now_ns)
            self.now_ns += TICK_NS
        return [message for _, message in self.bag.sent]


@pytest.fixture
def process() -> Process:
    return Process()


def test_it_beats_for_twins_and_peers_every_50_ms(process: Process) -> None:
    said = process.run(SECOND_NS)
    assert {type(message) for message in said} == {Beat}
    assert len(said) == pytest.approx(SECOND_NS / (BEAT_NS + TICK_NS / 2), abs=2)
    assert {to for to, _ in process.bag.sent} == {frozenset({b"twin", b"peer"})}
