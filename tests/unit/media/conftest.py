"""A house for each test."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from fakes.mansion import PYTHON, Mansion
from voiceroom_mixer.native import build
from voiceroom_mixer.native.library import Native, open_library


@pytest.fixture(scope="session")
def compiled() -> Native:
    """The compiled kernels of the sources as they are; a test of them is skipped without."""
    try:
        build.build()
    except build.BuildError as error:
        pytest.skip(f"no compiled kernels: {error}")
    return open_library(None)


@pytest.fixture(params=["python", "native"])
def native(request: pytest.FixtureRequest) -> Native:
    """Both ways of everything."""
    if request.param == "python":
        return PYTHON
    found: Native = request.getfixturevalue("compiled")
    return found


@pytest.fixture
def mansion(native: Native) -> Iterator[Mansion]:
    mansion = Mansion(native=native)
    yield mansion
    mansion.close()


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    """Somebody on this machine who listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        yield peer
