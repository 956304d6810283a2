"""Offers as browsers make them, and as nobody should."""

from __future__ import annotations

import pytest

from fakes.building import offer
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.offer import MAX_LINES, parse_offer


def refused(text: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        parse_offer(text)
    return caught.value


def test_chromiums_offer() -> None:
    parsed = parse_offer(offer("chromium_sendrecv"))
    assert parsed.payload_type == 111
    assert parsed.direction == "sendrecv"
    assert parsed.setup == "actpass"
    assert parsed.bundled
    assert parsed.rtcp_rsize
    assert (parsed.level_ext, parsed.mixer_level_ext) == (1, 0)
    assert parsed.line.mid == "0"
    assert parsed.ice.ufrag == "iUWc"
    assert [name for name, _ in parsed.fingerprints] == ["sha-256"]


def test_firefoxs_offer() -> None:
    parsed = parse_offer(offer("firefox_sendrecv"))
    assert parsed.payload_type == 109
    assert (parsed.level_ext, parsed.mixer_level_ext) == (1, 2)
    assert not parsed.rtcp_rsize
    assert parsed.ice.ufrag
    assert parsed.fingerprints


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_audio_is_found_among_video_and_data(browser: str) -> None:
    parsed = parse_offer(offer(f"{browser}_whep"))
    assert [line.kind for line in parsed.media] == ["video", "audio", "application"]
    assert parsed.audio == 1
    assert parsed.direction == "recvonly"


def test_the_first_of_two_audio_lines_is_the_leg() -> None:
    parsed = parse_offer(offer("chromium_two"))
    assert (parsed.audio, parsed.direction) == (0, "sendonly")


def test_a_sha_512_fingerprint_is_as_good() -> None:
    text = offer().replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-512 " + "AB:" * 32)
    assert parse_offer(text).fingerprints[0][0] == "sha-512"


def test_session_level_transport_attributes_count() -> None:
    text = offer()
    lines = text.split("\r\n")
    moved = [ln for ln in lines if ln.startswith(("a=ice-", "a=fingerprint", "a=setup"))]
    rest = [ln for ln in lines if ln not in moved]
    at = next(i for i, ln in enumerate(rest) if ln.startswith("m="))
    parsed = parse_offer("\r\n".join(rest[:at] + moved + rest[at:]))
    assert parsed == parse_offer(text)


@pytest.mark.parametrize("setup", ["active", "passive"])
def test_the_role_in_dtls_is_the_clients_choice(setup: str) -> None:
    assert parse_offer(offer().replace("setup:actpass", f"setup:{setup}")).setup == setup


@pytest.mark.parametrize(
    ("old", "new", "needed"),
    [
        ("a=rtcp-mux\r\n", "", "rtcp-mux"),
        ("opus/48000/2", "speex/48000/2", "opus"),
        ("opus/48000/2", "opus/48000", "opus"),
        ("m=audio", "m=video", "m=audio"),
        ("a=ice-ufrag:iUWc\r\n", "", "ice-ufrag"),
        ("a=setup:actpass\r\n", "", "setup"),
        ("a=fingerprint:sha-256", "a=fingerprint:md5", "sha-256"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "SAVPF"),
        ("m=audio 9", "m=audio 0", "ice-ufrag"),
    ],
)
def test_what_does_not_fit_is_told_what_is_needed(old: str, new: str, needed: str) -> None:
    text = offer().replace(old, new)
    if needed == "ice-ufrag" and "m=audio 0" in text:
        text = text.replace("a=ice-ufrag:iUWc\r\n", "")
        needed = "m=audio"
    error = refused(text)
    assert (error.status, error.code) == (422, "unusable_offer")
    assert needed in error.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "v=0",
        "v=0\r\nm=audio\r\n",
        "v=1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF x\r\n",
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 300\r\n",
        "v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 40,
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF" + " 111" * 200,
        "v=0\r\n" + "a=x\r\n" * MAX_LINES,
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=setup:dance\r\n",
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/x/2\r\n",
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=fingerprint:sha-256\r\n",
    ],
)
def test_what_is_no_sdp_is_400(text: str) -> None:
    error = refused(text)
    assert (error.status, error.code) == (400, "invalid_sdp")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a=ice-ufrag:iUWc", "a=ice-ufrag:iU"),
        ("a=ice-ufrag:iUWc", "a=ice-ufrag:" + "x" * 300),
        ("a=ice-ufrag:iUWc", "a=ice-ufrag:iUW\x00"),
        ("a=ice-pwd:", "a=ice-pwd:!"),
        ("a=mid:0", "a=mid:" + "m" * 65),
        ("a=mid:0", "a=mid:<b>"),
        ("a=fingerprint:sha-256 7D", "a=fingerprint:sha-256 ZZ"),
        ("a=fingerprint:sha-256 7D:", "a=fingerprint:sha-256 "),
    ],
)
def test_values_that_would_go_into_rows_and_answers_are_checked(old: str, new: str) -> None:
    assert old in offer()
    assert refused(offer().replace(old, new)).code == "invalid_sdp"


def test_a_flood_of_attributes_costs_little_and_changes_nothing() -> None:
    flood = "a=rtcp-fb:* nack\r\na=ssrc:1 cname:x\r\na=candidate:1 1 udp 1 x 1 typ host\r\n" * 1000
    assert parse_offer(offer() + flood) == parse_offer(offer())
