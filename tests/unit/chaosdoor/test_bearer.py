"""One Secret for the doors of all nodes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from fakes.nodes import FakeKube
from voiceroom_chaosdoor.bearer import Bearer

KEY = ("system", "voiceroom-chaos-door")


def bearer(kube: FakeKube, made: str = "fresh") -> Bearer:
    return Bearer(kube, "system", lambda _: made)


def test_the_first_door_makes_it_and_others_read_it() -> None:
    kube = FakeKube()
    first, second = bearer(kube, "one"), bearer(kube, "two")
    first.refresh()
    second.refresh()
    assert first.fits("Bearer one")
    assert second.fits("Bearer one")
    assert not second.fits("Bearer two")


def test_the_loser_of_a_race_takes_the_winners() -> None:
    class Race(FakeKube):
        def create_secret(self, namespace: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
            self.secrets.setdefault(KEY, {"data": {"token": b64encode(b"winner").decode()}})
            return super().create_secret(namespace, body)

    loser = bearer(Race())
    loser.refresh()
    assert loser.fits("Bearer winner")


def test_the_last_that_was_known_is_good_while_none_can_be_read() -> None:
    kube = FakeKube()
    door = bearer(kube)
    door.refresh()
    kube.down = True
    door.refresh()
    assert door.fits("Bearer fresh")


def test_an_unknown_token_fits_nothing() -> None:
    door = bearer(FakeKube(down=True))
    door.refresh()
    assert not door.known
    assert not door.fits("")
    assert not door.fits("Bearer ")


def test_an_empty_entry_fits_nothing() -> None:
    door = bearer(FakeKube(secrets={KEY: {"data": {}}}))
    door.refresh()
    assert not door.fits("Bearer ")


def test_a_header_of_odd_letters_is_no_error() -> None:
    door = bearer(FakeKube())
    door.refresh()
    assert not door.fits("Bearer \u00e9\u20ac")
