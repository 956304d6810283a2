"""Answers: what browsers get back."""

from __future__ import annotations

from typing import Any

import pytest
from aiortc.sdp import SessionDescription

from fakes.building import offer
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.answer import Direct, Transport, build_answer, direct
from voiceroom_mixer.control.signalling.candidates import Candidate
from voiceroom_mixer.control.signalling.offer import parse_offer
from voiceroom_mixer.core.rtp.stamps import CAPTURE_URI, MIX_TIMES_URI
from voiceroom_mixer.core.state.legstate import IceCredentials, Role, RoomState

ICE = IceCredentials("ourufrag", "p" * 24)
OWNER = Candidate("192.0.2.7", 7882, 2130706431)
TWIN = Candidate("2001:db8::7", 7883, 2130706175)
BOTH = Direct(sends=True, receives=True)


def answer_to(name: str, direction: Direct = BOTH, *, passive: bool = True, **room: Any) -> str:
    transport = Transport(ICE, [OWNER, TWIN], [("sha-256", "AB:CD")], passive)
    return build_answer(
        parse_offer(offer(name)), direction, transport, RoomState("r", 0, 1, **room), 7
    )


def lines(answer: str) -> list[str]:
    return answer.split("\r\n")


@pytest.mark.parametrize("name", ["chromium_sendrecv", "firefox_sendrecv"])
def test_the_answer_is_ice_lite_and_complete(name: str) -> None:
    answer = answer_to(name)
    found = lines(answer)
    assert "a=ice-lite" in found
    assert "a=setup:passive" in found
    assert "a=rtcp-mux" in found
    assert "a=candidate:1 1 udp 2130706431 192.0.2.7 7882 typ host" in found
    assert "a=candidate:2 1 udp 2130706175 2001:db8::7 7883 typ host" in found
    assert found.index("a=end-of-candidates") > found.index("a=ice-ufrag:ourufrag")
    media = SessionDescription.parse(answer).media[0]
    assert media.ice is not None
    assert (media.ice.usernameFragment, media.ice.iceLite) == ("ourufrag", True)
    assert media.rtp.muxId == "0"


def test_no_ssrc_is_signalled_and_still_there_is_a_track() -> None:
    answer = answer_to("chromium_sendrecv")
    assert "a=ssrc" not in answer
    assert "a=msid:" in answer


def test_a_leg_that_only_sends_gets_no_track() -> None:
    assert "a=msid:" not in answer_to("chromium_sendrecv", Direct(sends=True, receives=False))


@pytest.mark.parametrize("name", ["chromium_whep", "firefox_whep"])
def test_a_first_line_whose_transport_the_audio_shares_is_held(name: str) -> None:
    """Chromium with max-bundle has no other transport, and refuses an answer that rejects it."""
    answer = answer_to(name, Direct(False, True))
    session = SessionDescription.parse(answer)
    assert [(m.kind, m.port, m.rtp.muxId, m.direction) for m in session.media] == [
        ("video", 7882, "0", "inactive"),
        ("audio", 7882, "1", "sendonly"),
        ("application", 0, "2", "inactive"),
    ]
    assert [group.items for group in session.group] == [["0", "1"]]
    video = session.media[0]
    assert len(video.fmt) == len(video.rtp.codecs) == 1
    assert video.ice is not None
    assert video.ice.usernameFragment == "ourufrag"
    assert video.rtcp_mux


@pytest.mark.parametrize("name", ["chromium_whep", "firefox_whep"])
def test_a_first_line_with_a_transport_of_its_own_is_rejected(name: str) -> None:
    text = offer(name)
    before, after = text.split("m=audio")
    ufrag = next(ln for ln in after.split("\r\n") if ln.startswith("a=ice-ufrag:"))
    apart = before + "m=audio" + after.replace(ufrag, "a=ice-ufrag:another", 1)
    session = SessionDescription.parse(answered(apart.replace("a=bundle-only\r\n", "")))
    assert [(m.kind, m.port) for m in session.media] == [
        ("video", 0),
        ("audio", 7882),
        ("application", 0),
    ]
    assert [group.items for group in session.group] == [["1"]]
    rejected = parse_offer(apart).media[0].formats.split()
    assert session.media[0].fmt == [int(pt) for pt in rejected]


MAX_BUNDLE = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE data voice
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:data
a=ice-ufrag:theirs42
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 {}
a=setup:actpass
a=sctp-port:5000
m=audio 0 UDP/TLS/RTP/SAVPF 111
a=bundle-only
a=mid:voice
a=rtcp-mux
a=sendrecv
a=rtpmap:111 opus/48000/2
""".format(":".join(["AB"] * 32)).replace("\n", "\r\n")


def answered(text: str) -> str:
    transport = Transport(ICE, [OWNER], [("sha-256", "AB:CD")], True)
    return build_answer(parse_offer(text), BOTH, transport, RoomState("r", 0, 1), 7)


def test_a_bundle_only_audio_line_leaves_its_transport_to_the_first() -> None:
    parsed = parse_offer(MAX_BUNDLE)
    assert (parsed.ice.ufrag, parsed.setup) == ("theirs42", "actpass")
    found = lines(answered(MAX_BUNDLE))
    assert "a=group:BUNDLE data voice" in found
    held = found[found.index("m=application 7882 UDP/DTLS/SCTP webrtc-datachannel") :]
    held = held[: next(i for i, line in enumerate(held) if line.startswith("m=audio 7882"))]
    assert {"a=mid:data", "a=sctp-port:5000", "a=ice-ufrag:ourufrag", "a=setup:passive"} <= set(
        held
    )
    assert "a=inactive" not in held, "a data channel has no direction"


def test_a_second_audio_line_is_rejected() -> None:
    session = SessionDescription.parse(answer_to("chromium_two", Direct(True, False)))
    assert [(m.port, m.direction) for m in session.media] == [(7882, "recvonly"), (0, "inactive")]


def test_the_clients_encoder_is_steered_by_the_room() -> None:
    answer = answer_to("firefox_sendrecv", bitrate_kbps=24, frame_ms=10, fec=False)
    fmtp = "minptime=10;useinbandfec=0;usedtx=1;stereo=0;maxaveragebitrate=24000"
    assert f"a=fmtp:109 {fmtp}" in lines(answer)
    assert "a=ptime:10" in lines(answer)


def test_extensions_keep_the_offers_ids_and_unknown_ones_are_left_out() -> None:
    extmaps = [ln for ln in lines(answer_to("chromium_sendrecv")) if ln.startswith("a=extmap")]
    # sdes:mid least of all: whoever was promised it drops packets without it
    assert extmaps == ["a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"]


def test_extensions_for_times_are_answered_to_those_who_offer_them() -> None:
    level = "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    capture, times = f"a=extmap:5 {CAPTURE_URI}", f"a=extmap:6 {MIX_TIMES_URI}"
    text = offer().replace(level, f"{level}\r\n{capture}\r\n{times}")
    parsed = parse_offer(text)
    assert (parsed.capture_ext, parsed.mix_times_ext) == (5, 6)
    assert dict(parsed.extensions) == {
        1: "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        5: CAPTURE_URI,
        6: MIX_TIMES_URI,
    }
    plain = parse_offer(offer())
    assert (plain.capture_ext, plain.mix_times_ext) == (0, 0)


def test_reduced_size_rtcp_only_where_offered() -> None:
    assert "a=rtcp-rsize" in lines(answer_to("chromium_sendrecv"))
    assert "a=rtcp-rsize" not in lines(answer_to("firefox_sendrecv"))


def test_a_passive_client_makes_us_active() -> None:
    assert "a=setup:active" in lines(answer_to("chromium_sendrecv", passive=False))


@pytest.mark.parametrize(
    ("offered", "mode", "role", "answered"),
    [
        ("sendrecv", "whip", "speaker", "sendrecv"),
        ("sendonly", "whip", "speaker", "recvonly"),
        ("recvonly", "whip", "speaker", "sendonly"),
        ("sendrecv", "whip", "listener", "sendonly"),
        ("sendonly", "whip", "listener", "inactive"),
        ("recvonly", "whep", "listener", "sendonly"),
        ("recvonly", "whep", "moderator", "sendonly"),
        ("sendrecv", "whep", "speaker", "sendonly"),
    ],
)
def test_directions(offered: str, mode: str, role: Role, answered: str) -> None:
    parsed = parse_offer(offer().replace("a=sendrecv", f"a={offered}"))
    assert mode in ("whip", "whep")
    found = direct(parsed, "whip" if mode == "whip" else "whep", role)
    assert found.answered == answered


@pytest.mark.parametrize(("offered", "mode"), [("inactive", "whip"), ("sendonly", "whep")])
def test_nothing_to_do_is_refused(offered: str, mode: str) -> None:
    parsed = parse_offer(offer().replace("a=sendrecv", f"a={offered}"))
    with pytest.raises(ApiError) as caught:
        direct(parsed, "whip" if mode == "whip" else "whep", "speaker")
    assert caught.value.status == 422
