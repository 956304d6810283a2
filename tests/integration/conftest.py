"""Running mixers, and parties in their rooms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.mixer import PATIENT, Mixer, running
from harness.party import Party, gathering

ROOMS = [f"room-{n}" for n in range(24)]


@pytest.fixture
def mixer(tmp_path: Path) -> Iterator[Mixer]:
    """One room, ``lobby``, with every default; for tests that kill and drain."""
    with running(tmp_path) as mixer:
        yield mixer


@pytest.fixture
def party(mixer: Mixer) -> Iterator[Party]:
    """People in its lobby."""
    with gathering(mixer) as party:
        yield party


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mixer, Iterator[str]]]:
    """A mixer for a whole module, and its rooms that nobody has used yet."""
    documents = "---\n".join(PATIENT.replace("lobby", name) for name in ROOMS)
    with running(tmp_path_factory.mktemp("shared"), documents=documents) as mixer:
        yield mixer, iter(ROOMS)


@pytest.fixture
def room(shared: tuple[Mixer, Iterator[str]]) -> Iterator[Party]:
    """People in a room of their own of the module's mixer."""
    mixer, names = shared
    with gathering(mixer, next(names)) as party:
        yield party
    for leg in party.room()["participants"]:
        mixer.call("DELETE", f"/rooms/{party.home}/legs/{leg['id']}", party.token)
