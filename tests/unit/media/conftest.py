"""A house for each test."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from fakes.mansion import Mansion


@pytest.fixture
def mansion() -> Iterator[Mansion]:
    mansion = Mansion()
    yield mansion
    mansion.close()


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    """Somebody on this machine who listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        yield peer
