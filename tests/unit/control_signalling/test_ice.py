"""Credentials, entity tags, and what a PATCH means."""

from __future__ import annotations

import os
import re
from typing import Final

import pytest

from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling import ice
from voiceroom_mixer.control.signalling.sdpfrag import SdpFragment
from voiceroom_mixer.core.state.legstate import IceCredentials

REMOTE: Final = IceCredentials("abcd", "p" * 22)
SAME: Final = SdpFragment("abcd", "p" * 22, 1, False)
FRESH: Final = SdpFragment("efgh", "q" * 22, 0, False)
BARE: Final = SdpFragment(None, None, 1, False)


def test_credentials_are_ice_chars_long_enough_and_new_each_time() -> None:
    made = [ice.new_credentials(os.urandom) for _ in range(50)]
    assert len({one.ufrag for one in made} | {one.pwd for one in made}) == 100
    for one in made:
        assert re.fullmatch(r"[A-Za-z0-9+/]{8,}", one.ufrag)
        assert re.fullmatch(r"[A-Za-z0-9+/]{24,}", one.pwd)


@pytest.mark.parametrize(
    ("if_match", "fragment", "wanted"),
    [
        ('"e1"', SAME, "candidates"),
        ('"e1"', BARE, "candidates"),
        ("*", SAME, "candidates"),
        ("*", FRESH, "restart"),
        ('"e1"', FRESH, "restart"),
        ('"e0", "e1"', BARE, "candidates"),
    ],
)
def test_what_the_client_wants(if_match: str, fragment: SdpFragment, wanted: str) -> None:
    assert ice.decide(if_match, '"e1"', fragment, REMOTE) == wanted


@pytest.mark.parametrize(
    ("if_match", "status"), [(None, 428), ('"e0"', 412), ("e1", 412), ('W/"e1"', 412), ("", 412)]
)
def test_preconditions(if_match: str | None, status: int) -> None:
    for fragment in (SAME, FRESH, BARE):
        with pytest.raises(ApiError) as caught:
            ice.decide(if_match, '"e1"', fragment, REMOTE)
        assert caught.value.status == status


def test_bad_credentials_restart_nothing() -> None:
    with pytest.raises(ApiError) as caught:
        ice.decide("*", '"e1"', SdpFragment("a b", "q" * 22, 0, False), REMOTE)
    assert caught.value.status == 400
