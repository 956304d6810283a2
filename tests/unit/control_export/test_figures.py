"""Tick figures, the live line, from the ring that media writes."""

from __future__ import annotations

import io

from fakes.door import segment
from voiceroom_mixer.control.export.figures import tick_figures, worst_figures
from voiceroom_mixer.control.export.status_line import StatusLine, status_line
from voiceroom_mixer.core.state import layout, stats
from voiceroom_mixer.edge.shm import Segment


def write_ticks(memory: Segment, late_ns: list[int], first_slot: int = 2) -> None:
    """Ticks of 20 ms as media writes them: the counter first, then the row of that number."""
    for number, late in enumerate(late_ns, start=1):
        row = (first_slot + 2 * number, late, 2 * late, 0, 0, 0, 0, 0)
        memory.counters[stats.INDEX["ticks"]] += 1
        memory.ticks[memory.counters[stats.INDEX["ticks"]] % layout.TICK_RING] = row


def test_quantiles_in_milliseconds() -> None:
    memory = segment()
    write_ticks(memory, [number * 10_000 for number in range(101)])
    figures = tick_figures(memory)
    assert figures["latenessMs"] == {"p50": 0.5, "p99": 0.99, "max": 1.0}
    assert figures["workMs"] == {"p50": 1.0, "p99": 1.98, "max": 2.0}
    assert figures["total"] == 101


def test_before_the_first_tick_all_is_zero() -> None:
    assert tick_figures(segment())["latenessMs"] == {"p50": 0.0, "p99": 0.0, "max": 0.0}


def test_ticks_of_more_than_30_s_ago_do_not_count_even_when_the_ring_has_wrapped() -> None:
    memory = segment()
    write_ticks(memory, [50_000_000] * 3000 + [1_000_000] * 1500)
    assert tick_figures(memory)["latenessMs"]["max"] == 1.0
    write_ticks(memory, [2_000_000], first_slot=1_000_000)
    assert tick_figures(memory)["latenessMs"] == {"p50": 2.0, "p99": 2.0, "max": 2.0}


def test_of_several_processes_the_worst_lateness_shows_and_totals_add_up() -> None:
    good, bad = segment(), segment()
    write_ticks(good, [100_000] * 10)
    write_ticks(bad, [900_000] * 5)
    bad.counters[stats.INDEX["ticks_late"]] = 2
    good.counters[stats.INDEX["ticks_late"]] = 1
    figures = worst_figures([good, bad])
    assert figures["latenessMs"]["p99"] == 0.9
    assert (figures["total"], figures["late"]) == (15, 3)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_live_line_is_drawn_in_place_and_only_in_a_terminal() -> None:
    memory = segment()
    write_ticks(memory, [100_000] * 4)
    memory.counters[stats.INDEX["talkers"]] = 2
    memory.counters[stats.INDEX["ticks_skipped"]] = 7
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        line = StatusLine(stream, [memory], lambda: 5)
        line.draw(0)
        line.erase()
    assert pipe.getvalue() == ""
    assert terminal.getvalue() == f"\r\x1b[K{status_line([memory], 5)}\r\x1b[K"
    assert status_line([memory], 5) == (
        "5 in, 2 talking | tick lateness p50 0.10 ms, p99 0.10 ms | 0 late, 7 skipped of 4 ticks"
    )
