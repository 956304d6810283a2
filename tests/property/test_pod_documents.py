"""What the operator writes for pods, pods read; and whatever else comes, they refuse in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.poolparts import Scheduling
from voiceroom_api.units import NS_PER_MS
from voiceroom_api.voiceroom import Audio, VoiceRoomSpec
from voiceroom_mixer.control.admin import assignment, directory
from voiceroom_mixer.control.service import ApiError
from voiceroom_operator.binding.assignment import (
    Assignment,
    RoomCard,
    Seat,
    next_assignment,
    pod_settings,
    seats,
)
from voiceroom_operator.binding.directory import REMEMBERED, Directory, Place
from voiceroom_operator.observed import RoomSeen

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
PODS = st.sampled_from([f"voiceroom-default-{n}" for n in range(4)])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["name", "spec", "audio", "limits", "rooms", "set", "urls", "pod", "epoch", "uid"]
            ),
            inner,
        )
    ),
    max_leaves=15,
)
FIELDS = st.sampled_from(
    ["term", "generation", "rooms", "limits", "advertise", "from", "to", "set", "gone"]
)


@st.composite
def bound(draw: st.DrawFn) -> RoomSeen:
    """A room with a pod, and perhaps a twin."""
    pod, twin = draw(PODS), draw(st.just("") | PODS)
    return RoomSeen(
        draw(NAMES),
        draw(st.uuids()).hex,
        "default",
        pod=pod,
        epoch=draw(st.integers(1, 9)),
        twin="" if twin == pod else twin,
    )


@given(st.lists(bound(), max_size=8, unique_by=lambda room: room.name), st.integers(0, 16))
def test_every_assignment_of_the_operators_is_taken(rooms: list[RoomSeen], talkers: int) -> None:
    spec = VoiceRoomSpec(audio=Audio(talkers=talkers)).to_dict()
    card = RoomCard(spec, "salt:00", ({"urls": ["stun:s.example"]},))
    cards = dict.fromkeys((room.name for room in rooms), card)
    scheduling = Scheduling(alpha=talkers / 16, beta=0.5, deadline_ms=talkers + 1)
    settings = pod_settings(MixerPoolSpec(scheduling=scheduling), ("192.0.2.1",))
    for taken in seats(rooms).values():
        document = next_assignment(Assignment(), taken, cards, settings).to_dict(3)
        found = assignment.read(document)
        assert found.weights.alpha == scheduling.alpha
        assert found.weights.deadline_ns == scheduling.deadline_ms * NS_PER_MS
        assert [(seat.name, seat.role) for seat in found.seats] == [
            (seat.room.name, seat.role) for seat in taken
        ]
        assert all(entry["spec"] == spec for entry in found.owned())
        assert [seat.other for seat in found.seats] == [_other(seat) for seat in taken]


def _other(seat: Seat) -> str:
    return seat.room.pod if seat.role == "twin" else seat.room.twin


WORLDS = st.lists(
    st.dictionaries(NAMES, st.tuples(PODS, st.integers(1, 5)), max_size=6), min_size=1, max_size=20
)


@given(WORLDS, st.lists(st.booleans(), min_size=20, max_size=20))
def test_a_pod_that_lags_ends_where_the_others_are(
    worlds: list[dict[str, tuple[str, int]]], listens: list[bool]
) -> None:
    book, pod, number = Directory(), directory.Directory(), 0
    for world, hears in zip(worlds, [*listens[: len(worlds) - 1], True], strict=False):
        places = {name: Place(where, "10.0.0.1:8443", e) for name, (where, e) in world.items()}
        book.update(places)
        document = book.document(7, number) if hears else None
        if document is not None:
            delta = directory.read(document)
            assert pod.fits(delta)
            pod, number = pod.after(delta), book.number
    assert {name: (place.pod, place.epoch) for name, place in pod.places.items()} == worlds[-1]


def test_a_pod_that_lags_too_far_gets_it_whole() -> None:
    book = Directory()
    for epoch in range(1, REMEMBERED + 5):
        book.update({"lobby": Place("a", "10.0.0.1:8443", epoch)})
    document = book.document(1, 1)
    assert document is not None
    assert document["from"] == 0
    assert directory.Directory(1, 1, {}).fits(directory.read(document))


@given(st.dictionaries(FIELDS, JSON))
def test_nonsense_is_refused_in_words(body: dict[str, Any]) -> None:
    for read in (assignment.read, directory.read):
        error = _refusal(read, body)
        if error is not None:
            assert error.status == 422
            assert error.field
            assert len(error.message) < 2_000


def _refusal(read: Callable[[dict[str, Any]], object], body: dict[str, Any]) -> ApiError | None:
    try:
        read(body)
    except ApiError as error:
        return error
    return None
