"""Which arithmetic the rooms and calls of a test use: numpy's, or the compiled kernels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from voiceroom_mixer.codec import kernels, library
from voiceroom_mixer.codec.kernels import Kernels
from voiceroom_mixer.native import build
from voiceroom_mixer.native.library import open_library

chosen: Kernels | None = None
"""Of the module that runs now; ``fakes.rooms`` and ``fakes.speech`` take it."""


def compiled() -> Kernels:
    """The kernels, built if need be; skips the test where there is no compiler."""
    try:
        build.build()
    except build.BuildError as error:
        pytest.skip(str(error))
    native = open_library(None)
    made = kernels.make(native.library, library.load())
    assert made is not None, native.reason
    return made


@pytest.fixture(scope="module", params=["numpy", "compiled"], autouse=True)
def both_arithmetics(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test of the module runs with both. Import it into the module to have that."""
    global chosen
    chosen = compiled() if request.param == "compiled" else None
    yield
    chosen = None
