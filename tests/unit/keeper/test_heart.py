"""The keeper's heartbeat is the one that media's fellows understand."""

from __future__ import annotations

import json
import os
import socket
import struct
from pathlib import Path

import pytest

from voiceroom_mixer.core.moving import wire
from voiceroom_mixer.core.moving.messages import Beat
from voiceroom_mixer.heart import BEAT_S, FRESH_S, LINE, Heart, beat

KEY, POD = b"k" * 32, b"p" * 8


def line(port: int) -> str:
    said = {"key": KEY.hex(), "processes": [[POD.hex(), [["127.0.0.1", port]]]]}
    return LINE + json.dumps(said)


def test_a_beat_is_the_datagram_of_the_wire() -> None:
    assert beat(KEY, POD, 7) == wire.seal(KEY, Beat(POD, 7))


def test_it_beats_when_it_has_been_told_for_whom_and_then_every_50_ms() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as twin,
    ):
        twin.bind(("127.0.0.1", 0))
        twin.settimeout(5)
        heart = Heart((own,))
        assert heart.patience_s(1.0) is None
        heart.beat(1.0)
        heart.tell(line(twin.getsockname()[1]))
        heart.beat(1.0)
        first = wire.unseal([KEY], twin.recv(100))
        assert isinstance(first, Beat)
        assert first.pod == POD
        heart.beat(1.0 + BEAT_S / 2)
        assert heart.patience_s(1.0) == pytest.approx(BEAT_S)
        heart.beat(1.0 + BEAT_S)
        second = wire.unseal([KEY], twin.recv(100))
        assert isinstance(second, Beat)
        assert second.sequence > first.sequence


def test_what_cannot_be_read_changes_nothing() -> None:
    heart = Heart(())
    heart.tell(line(1))
    known = heart.targets
    for spoilt in ("beats", "beats {}", "beats []", 'beats {"key": "zz", "processes": []}'):
        heart.tell(spoilt)
    assert heart.targets == known


def test_it_is_silent_while_media_runs_by_its_own_word_and_beats_when_that_is_old(
    tmp_path: Path,
) -> None:
    memory = tmp_path / "segment"
    memory.write_bytes(bytes(64))
    with (
        memory.open("r+b") as segment,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as twin,
    ):
        twin.bind(("127.0.0.1", 0))
        twin.settimeout(5)
        heart = Heart((own,), (segment.fileno(),))
        said = json.loads(line(twin.getsockname()[1]).removeprefix(LINE)) | {"word": 16}
        heart.tell(LINE + json.dumps(said))
        os.pwrite(segment.fileno(), struct.pack("<q", 1_000_000_000), 16)
        for now_s in (1.0, 1.05, 1.05 + FRESH_S):
            heart.beat(now_s)
        beats = wire.unseal([KEY], twin.recv(100))
        assert isinstance(beats, Beat)
        assert beats.sequence == round((1.05 + FRESH_S) * 1e9), "the two before were not sent"
