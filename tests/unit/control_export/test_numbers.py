"""Control's own counts: declared, bounded, never by participant."""

from __future__ import annotations

import pytest

from voiceroom_mixer.control.export import numbers as numbers_module
from voiceroom_mixer.control.export.numbers import Numbers, rooms_capped


def test_what_is_not_declared_cannot_be_counted() -> None:
    numbers = Numbers()
    with pytest.raises(KeyError):
        numbers.count("voiceroom_nothing_total")
    with pytest.raises(KeyError):
        numbers.count("voiceroom_joins_total")
    with pytest.raises(KeyError):
        numbers.count("voiceroom_joins_total", outcome="ok")


def test_series_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers_module, "MAX_SERIES", 8)
    numbers = Numbers()
    known = len(numbers.values("voiceroom_joins_total"))
    for number in range(20):
        numbers.count("voiceroom_joins_total", result=f"code-{number}")
    series = numbers.values("voiceroom_joins_total")
    assert len(series) == 9
    assert series[("other",)] == 20 - (8 - known)


def test_rooms_beyond_the_cap_are_summed() -> None:
    counts = {f"room-{i}": i for i in range(10)}
    assert rooms_capped(counts, cap=3) == {"room-9": 9, "room-8": 8, "room-7": 7, "other": 21}
    assert rooms_capped({"a": 0}, cap=1) == {"a": 0}
