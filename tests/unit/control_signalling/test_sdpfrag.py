"""Fragments for trickle ICE and ICE restart."""

from __future__ import annotations

import pytest

from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.candidates import Candidate
from voiceroom_mixer.control.signalling.sdpfrag import build_fragment, parse_fragment
from voiceroom_mixer.core.state.legstate import IceCredentials

TRICKLE = (
    "a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:EsAw\r\n"
    "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
    "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\n"
    "a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0\r\n"
    "a=end-of-candidates\r\n"
)


def test_a_browsers_fragment() -> None:
    fragment = parse_fragment(TRICKLE)
    assert (fragment.ufrag, fragment.pwd) == ("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1")
    assert fragment.candidates == 2
    assert fragment.end_of_candidates


def test_candidates_alone_are_a_fragment_too() -> None:
    fragment = parse_fragment("a=candidate:1 1 udp 1 192.0.2.1 1 typ host\n")
    assert (fragment.ufrag, fragment.candidates) == (None, 1)


@pytest.mark.parametrize(
    "text", ["", "hello", "a=ice-ufrag:abcd\r\n", "a=x\r\n" * 501, "a=" + "y" * 2000]
)
def test_what_cannot_be_read_is_400(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_fragment(text)
    assert (caught.value.status, caught.value.code) == (400, "invalid_sdpfrag")


def test_the_answer_to_a_restart_reads_back() -> None:
    ice = IceCredentials("newufrag", "n" * 24)
    text = build_fragment(ice, [Candidate("192.0.2.7", 7882, 5)], mid="0", payload_type=111)
    fragment = parse_fragment(text)
    assert (fragment.ufrag, fragment.pwd, fragment.candidates) == ("newufrag", "n" * 24, 1)
    assert text.startswith("a=ice-lite\r\n")
    assert "a=candidate:1 1 udp 5 192.0.2.7 7882 typ host\r\n" in text
