"""Datagrams between mixers: what is sealed is understood, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceroom_mixer.core.moving import wire
from voiceroom_mixer.core.moving.messages import (
    Ask,
    Beat,
    Epoch,
    LegCut,
    Message,
    RelayDown,
    RelayUp,
    Stopped,
    StoppedAck,
    Tell,
)
from voiceroom_mixer.core.moving.wire import WireError

KEY, OTHER = b"k" * 32, b"o" * 32

u16, u32, u64 = (st.integers(0, 2**bits - 1) for bits in (16, 32, 64))
eight, twelve, sixteen = (st.binary(min_size=n, max_size=n) for n in (8, 12, 16))
received = st.integers(-1, 2**48 - 1)
cuts = st.builds(LegCut, twelve, u64, u32, u32, u32, received, received)
stopped = st.builds(
    Stopped,
    eight,
    u32,
    st.integers(-1, 2**62),
    st.integers(0, 9),
    st.integers(10, 20),
    st.lists(cuts, max_size=wire.LEGS_PER_PART).map(tuple),
)
relays = [
    st.builds(kind, twelve, sixteen, u16, st.binary(max_size=60)) for kind in (RelayUp, RelayDown)
]
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(Beat, eight, u64),
    *relays,
    stopped,
    st.builds(StoppedAck, eight, u32, u16),
    st.builds(Epoch, eight, u32),
    st.builds(Ask, eight, u64),
    st.builds(Tell, u64, st.booleans()),
)


@given(messages)
def test_what_is_sealed_is_understood(message: Message) -> None:
    sealed = wire.seal(KEY, message)
    assert wire.is_of_mixers(sealed[0])
    assert wire.unseal([KEY], sealed) == message
    assert wire.unseal([OTHER, KEY], sealed) == message, "while keys rotate"


@given(stopped)
def test_a_part_of_the_last_word_fits_a_datagram(message: Stopped) -> None:
    assert len(wire.seal(KEY, message)) <= wire.MAX_BYTES


@given(messages, st.data())
def test_one_changed_byte_is_refused(message: Message, data: st.DataObject) -> None:
    sealed = bytearray(wire.seal(KEY, message))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(WireError, match="mixer_auth"):
        wire.unseal([KEY], bytes(sealed))


def test_another_pools_key_is_refused() -> None:
    with pytest.raises(WireError, match="mixer_auth"):
        wire.unseal([OTHER], wire.seal(KEY, Ask(b"p" * 8, 1)))


@contextmanager
def suppress_reason(reason: str) -> Iterator[None]:
    """Either it is understood, or refused for that reason; nothing else comes out."""
    try:
        yield
    except WireError as error:
        if str(error) != reason:
            raise


@given(st.binary(max_size=200))
def test_a_peer_with_the_key_may_still_send_nonsense(body: bytes) -> None:
    data = bytes((wire.FIRST_BYTE | (len(body) & 0x3F), wire.VERSION)) + body
    sealed = data + wire._tag(KEY, data)
    with suppress_reason("mixer_malformed"):
        wire.unseal([KEY], sealed)


def test_a_later_version_is_told_apart() -> None:
    data = bytes((wire.FIRST_BYTE, wire.VERSION + 1)) + bytes(16)
    with pytest.raises(WireError, match="mixer_version"):
        wire.unseal([KEY], data + wire._tag(KEY, data))


@given(st.binary(max_size=17))
def test_a_stump_is_too_short(data: bytes) -> None:
    with pytest.raises(WireError, match="mixer_short"):
        wire.unseal([KEY], data)
