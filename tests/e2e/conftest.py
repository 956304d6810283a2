"""A running mixer and real browsers, all of them ended with the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from browsers.chromium import Chromiums, chromiums
from browsers.firefox import Firefoxes, firefoxes
from browsers.links import StartMixer
from harness.mixer import LOBBY, Mixer, running


@pytest.fixture
def start_mixer(tmp_path: Path) -> Iterator[StartMixer]:
    """Starts mixers with the options and documents that are given."""
    with ExitStack() as ends:

        def start(*options: str, documents: str = LOBBY) -> Mixer:
            folder = tmp_path / f"mixer-{len(list(tmp_path.glob('mixer-*')))}"
            folder.mkdir()
            return ends.enter_context(running(folder, *options, documents=documents))

        yield start


@pytest.fixture
def mixer(start_mixer: StartMixer) -> Mixer:
    """One room, ``lobby``, with every default."""
    return start_mixer()


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chromiums]:
    """Chromium browsers, one for each person."""
    with chromiums(tmp_path) as browsers:
        yield browsers


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefoxes]:
    """Firefox browsers, one for each person."""
    with firefoxes(tmp_path) as browsers:
        yield browsers
