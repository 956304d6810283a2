"""States and messages: what one process wrote, another reads whole or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceroom_mixer.core.state import messages, stats
from voiceroom_mixer.core.state.legstate import (
    IceCredentials,
    LegState,
    RoomState,
    SrtpKeys,
    StateError,
)
from voiceroom_mixer.core.state.messages import Address, Kind, Message, MessageError

LEG = LegState(
    leg="a1",
    room="lobby",
    room_slot=0,
    slot=3,
    generation=7,
    kind="webrtc",
    identity="ana",
    role="speaker",
    participant="p1",
    ssrc=1,
    sends=True,
    receives=True,
    payload_type=111,
    hears={"b2": -6.0, "c3": "mute"},
    local_ice=IceCredentials("ufrag", "pwd"),
    srtp=SrtpKeys(1, "00", "ff"),
)


def test_a_leg_comes_back_as_it_was() -> None:
    assert LegState.from_bytes(LEG.to_bytes()) == LEG


def test_a_leg_of_a_later_build_is_read_without_what_only_that_knows() -> None:
    """Rooms are handed back from a canary's pods to those of the build before."""
    value = json.loads(LEG.to_bytes()) | {"of_a_later_build": 7}
    assert LegState.from_value(value) == LEG


def test_a_room_comes_back_as_it_was() -> None:
    room = RoomState(room="lobby", slot=0, generation=1, talkers=0, mute_all=True)
    assert RoomState.from_bytes(room.to_bytes()) == room


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_state_error(raw: bytes) -> None:
    for kind in (LegState, RoomState):
        with pytest.raises(StateError):
            kind.from_bytes(raw)


def test_another_version_is_refused() -> None:
    value = dataclasses.asdict(LEG) | {"version": 99}
    with pytest.raises(StateError, match="version 99"):
        LegState.from_bytes(json.dumps(value).encode())


@given(st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.binary(max_size=1500))
def test_a_message_comes_back_as_it_was(kind: Kind, slot: int, payload: bytes) -> None:
    message = Message(kind, slot, 9, payload)
    assert messages.parse(message.to_bytes()) == message


@given(st.binary(max_size=64))
def test_arbitrary_bytes_are_a_message_or_a_message_error(raw: bytes) -> None:
    with contextlib.suppress(MessageError):
        assert messages.parse(raw).to_bytes() == raw


@pytest.mark.parametrize("ip", [bytes([192, 0, 2, 1]), bytes(range(16))])
def test_an_address_comes_back_with_what_follows_it(ip: bytes) -> None:
    address = Address(ip, 5004)
    assert messages.parse_address(address.to_bytes() + b"rest") == (address, b"rest")


def test_a_message_too_long_for_the_pair_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="at most"):
        Message(Kind.DTLS, 0, 0, bytes(messages.MAX_MESSAGE)).to_bytes()


def test_words_of_the_statistics_page_do_not_overlap() -> None:
    taken: set[int] = set()
    widths = {h.name: h.words for h in stats.HISTOGRAMS}
    for name, at in stats.INDEX.items():
        words = set(range(at, at + widths.get(name, 1)))
        assert not taken & words, name
        taken |= words
    assert taken == set(range(stats.WORDS))
