"""Those that are compared run in turns, and stolen windows do not count."""

from __future__ import annotations

from bench.compare import Arm, Side, alternate, conclusive
from bench.load.generator import LoadWindow, Quantiles
from bench.measure import Sample

NONE = Quantiles(0, 0, 0, 0, 0)
LOAD = LoadWindow(1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0, NONE, NONE, NONE, NONE, {})


def sample(cores: float, stolen: float = 0.0) -> Sample:
    return Sample(cores, {"server": cores}, stolen, 0.5, LOAD)


def test_arms_take_turns() -> None:
    order: list[str] = []

    def run(name: str) -> Sample:
        order.append(name)
        return sample(0.1)

    said: list[str] = []
    sides = alternate([Arm(n, lambda n=n: run(n)) for n in "AB"], 3, said.append)  # type: ignore[misc]
    assert order == list("ABABAB")
    assert [len(side.samples) for side in sides] == [3, 3]
    assert said[0] == "A: 0.100 cores (1 of 3)"


def test_a_stolen_window_does_not_move_the_median() -> None:
    side = Side("A", [sample(0.2), sample(9.0, stolen=0.5), sample(0.4)])
    assert side.middle(lambda s: s.cores) == 0.30000000000000004
    assert conclusive(side)


def test_only_stolen_windows_are_inconclusive() -> None:
    good, bad = Side("A", [sample(0.2)]), Side("B", [sample(0.4, stolen=0.06)])
    assert bad.middle(lambda s: s.cores) == 0.4
    assert not conclusive(good, bad)


def test_cpu_is_shared_out_over_the_legs() -> None:
    assert Side("A", [sample(0.5)]).percent_per(50) == 1.0


def test_a_window_is_kept_with_its_processes() -> None:
    kept = Side("A", [sample(0.25)]).to_dict()
    assert kept["samples"][0]["processes"] == {"server": 0.25}
    assert kept["samples"][0]["ticks"] is None
