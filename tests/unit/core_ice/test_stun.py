"""STUN as a client speaks it: real requests are answered, all else is an error with a reason."""

from __future__ import annotations

import struct

import pytest
from aioice import stun as aioice_stun
from hypothesis import given
from hypothesis import strategies as st

from voiceroom_mixer.core.ice import stun
from voiceroom_mixer.core.ice.stun import StunError

PASSWORD = "p" * 24
TRANSACTION = bytes(range(12))


def _request(**changes: bool) -> bytes:
    return stun.request(
        TRANSACTION,
        "ours1234:theirs12",
        PASSWORD,
        use_candidate=changes.get("use_candidate", False),
        priority=1,
    )


def test_a_request_made_by_another_implementation_is_authentic() -> None:
    message = aioice_stun.Message(
        aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST, TRANSACTION
    )
    message.attributes["USERNAME"] = "ours1234:theirs12"
    message.attributes["PRIORITY"] = 7
    message.attributes["ICE-CONTROLLING"] = 99
    message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(PASSWORD.encode())
    request = stun.parse_request(bytes(message))
    assert (request.local_ufrag, request.remote_ufrag) == ("ours1234", "theirs12")
    assert request.use_candidate
    assert not request.unknown
    assert stun.verify(request, PASSWORD)
    assert not stun.verify(request, PASSWORD[1:])


@pytest.mark.parametrize(
    ("ip", "text"),
    [(bytes([192, 0, 2, 1]), "192.0.2.1"), (bytes(15) + b"\x01", "::1")],
)
def test_another_implementation_reads_our_answer(ip: bytes, text: str) -> None:
    answer = aioice_stun.parse_message(stun.success(TRANSACTION, ip, 40_000, PASSWORD))
    assert answer.message_class == aioice_stun.Class.RESPONSE
    assert answer.transaction_id == TRANSACTION
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == (text, 40_000)
    assert answer.check_message_integrity(PASSWORD.encode())


def test_a_request_with_one_bit_changed_is_refused() -> None:
    good = _request(use_candidate=True)
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 0x10
        try:
            request = stun.parse_request(bytes(bad))
        except StunError:
            continue
        after_integrity = at >= request.integrity_at + 24
        assert after_integrity or not stun.verify(request, PASSWORD), f"bit in byte {at}"


def test_what_follows_message_integrity_is_not_believed() -> None:
    plain = _request()[:-8]
    smuggled = plain + struct.pack("!HH", stun.USE_CANDIDATE, 0)
    forged = smuggled[:2] + struct.pack("!H", len(smuggled) - 20) + smuggled[4:]
    assert not stun.parse_request(forged).use_candidate


def test_an_attribute_that_must_be_understood_is_named_in_a_420() -> None:
    message = aioice_stun.Message(
        aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST, TRANSACTION
    )
    message.attributes["USERNAME"] = "ours1234:theirs12"
    message.attributes["CHANGE-REQUEST"] = 1
    message.add_message_integrity(PASSWORD.encode())
    request = stun.parse_request(bytes(message))
    assert request.unknown == (3,)
    answer = aioice_stun.parse_message(
        stun.unknown_attributes(TRANSACTION, request.unknown, PASSWORD)
    )
    assert answer.attributes["ERROR-CODE"][0] == 420


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_never_more_than_an_error(datagram: bytes) -> None:
    try:
        request = stun.parse_request(datagram)
    except StunError:
        return
    assert not stun.verify(request, PASSWORD)


@given(st.data())
def test_a_cut_request_is_an_error(data: st.DataObject) -> None:
    whole = _request()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(StunError):
        stun.parse_request(whole[:cut])
