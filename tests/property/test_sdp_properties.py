"""Whatever text comes, the parsers raise ``ApiError`` and nothing else."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from fakes.building import offer
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.answer import Direct, Transport, build_answer
from voiceroom_mixer.control.signalling.candidates import Candidate
from voiceroom_mixer.control.signalling.offer import parse_offer
from voiceroom_mixer.control.signalling.sdpfrag import parse_fragment
from voiceroom_mixer.core.state.legstate import IceCredentials, RoomState

VECTORS = [offer(f"{b}_{k}") for b in ("chromium", "firefox") for k in ("sendrecv", "whep")]
LINES = [line for text in VECTORS for line in text.split("\r\n")]
TRANSPORT = Transport(
    IceCredentials("u" * 8, "p" * 24), [Candidate("192.0.2.1", 1, 1)], [("sha-256", "AA")], True
)
values = st.text(st.characters(codec="utf-8"), max_size=40)
attributes = st.sampled_from(
    ["rtpmap", "fmtp", "extmap", "mid", "group", "setup", "fingerprint", "ice-ufrag", "ice-pwd"]
)
odd_lines = st.builds(lambda name, value: f"a={name}:{value}", attributes, values)
media_lines = st.builds(lambda rest: f"m=audio {rest}", values)


def check(text: str) -> None:
    """Either refused, or answered line for line and readable again."""
    parsed = status = None
    try:
        parsed = parse_offer(text)
    except ApiError as error:
        status = error.status
    if parsed is None:
        assert status in (400, 422)
        return
    room = RoomState("r", 0, 1)
    answer = build_answer(parsed, Direct(True, True), TRANSPORT, room, 1)
    assert answer.count("\r\nm=") == len(parsed.media)
    assert all(line[1:2] == "=" for line in answer.split("\r\n")[:-1])


@given(st.text())
def test_arbitrary_text(text: str) -> None:
    check(text)
    check("v=0\r\n" + text)


@given(st.lists(st.one_of(st.sampled_from(LINES), odd_lines, media_lines, values), max_size=60))
def test_lines_of_real_offers_and_nonsense_in_any_order(lines: list[str]) -> None:
    check("\r\n".join(["v=0", *lines]))


@given(st.sampled_from(VECTORS), st.integers(0, 2**32), st.integers(1, 8))
def test_real_offers_with_a_few_characters_changed(text: str, seed: int, changes: int) -> None:
    dice = random.Random(seed)
    letters = list(text)
    for _ in range(changes):
        at = dice.randrange(len(letters))
        letters[at : at + dice.randrange(3)] = dice.choice(["", "\r\n", "0", "9" * 30, "é", "\0"])
    check("".join(letters))


@given(st.one_of(st.text(), st.lists(odd_lines, max_size=20).map("\r\n".join)))
def test_fragments(text: str) -> None:
    fragment = status = None
    try:
        fragment = parse_fragment(text)
    except ApiError as error:
        status = error.status
    if fragment is None:
        assert status == 400
    else:
        assert (fragment.ufrag is None) == (fragment.pwd is None)
