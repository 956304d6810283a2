"""The lean WebRTC client: what it reads of an answer, and its keys."""

from __future__ import annotations

import pytest
from aioice import stun
from bench.errors import BenchError
from bench.load import dtls, sdp, webrtc

OURS = sdp.Ours("u1", "p" * 24, "AA:BB")
ANSWER = """v=0\r
a=ice-lite\r
m=audio 9 UDP/TLS/RTP/SAVPF 111\r
a=ice-ufrag:theirs\r
a=ice-pwd:secretsecretsecretsecret\r
a=fingerprint:sha-256 0A:0B\r
a=setup:passive\r
a=candidate:1 1 udp 2130706431 127.0.0.1 7882 typ host\r
a=extmap:4/recvonly urn:ietf:params:rtp-hdrext:ssrc-audio-level\r
a=rtpmap:111 opus/48000/2\r
"""


def test_an_answer_is_read() -> None:
    theirs = sdp.read_answer(ANSWER)
    assert (theirs.ip, theirs.port, theirs.payload_type) == ("127.0.0.1", 7882, 111)
    assert (theirs.ufrag, theirs.fingerprint, theirs.level_ext) == ("theirs", "0A:0B", 4)


def test_levels_may_be_declined() -> None:
    answer = "\n".join(line for line in ANSWER.splitlines() if "extmap" not in line)
    assert sdp.read_answer(answer).level_ext == 0


@pytest.mark.parametrize("missing", ["ice-ufrag", "candidate", "fingerprint", "setup", "rtpmap"])
def test_an_answer_without_what_is_needed_is_refused(missing: str) -> None:
    answer = "\n".join(line for line in ANSWER.splitlines() if missing not in line)
    with pytest.raises(BenchError, match="answer has no"):
        sdp.read_answer(answer)


def test_an_answer_that_wants_to_begin_dtls_is_refused() -> None:
    with pytest.raises(BenchError, match="DTLS client"):
        sdp.read_answer(ANSWER.replace("passive", "active"))


def test_the_offer_has_what_a_server_needs() -> None:
    lines = sdp.offer(OURS, 3).split("\r\n")
    for line in ("a=ice-ufrag:u1", "a=fingerprint:sha-256 AA:BB", "a=setup:actpass", "a=sendrecv"):
        assert line in lines


def test_the_check_nominates_and_is_signed_with_their_password() -> None:
    theirs = sdp.read_answer(ANSWER)
    message = stun.parse_message(webrtc.binding_request(OURS, theirs))
    assert message.attributes["USERNAME"] == "theirs:u1"
    assert "USE-CANDIDATE" in message.attributes
    assert message.check_message_integrity(theirs.pwd.encode())


@pytest.mark.parametrize("profile", dtls.PROFILES.values(), ids=str)
def test_keys_are_split_as_rfc_5764_says(profile: dtls.Profile) -> None:
    parts = [bytes([n]) * size for n, size in enumerate([profile.key] * 2 + [profile.salt] * 2)]
    keys = dtls.split_keys(profile, b"".join(parts))
    assert keys.tx == parts[0] + parts[2]
    assert keys.rx == parts[1] + parts[3]
