"""``chaos --drill``: three rows, and a judgement that can fail."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from fakes.kubecluster import FakeCluster
from fakes.typed import Time, Typed
from voiceroom_api.units import NS_PER_S
from voiceroom_kubectl.cluster import ClusterError, Object
from voiceroom_kubectl.report import Answer, Call

FOR_S = 20
DRILL = ("chaos", "step", "--pod-selector", "a=b", "--for", f"{FOR_S}s", "--drill")
TICKS_A_S = 50


@dataclass
class World:
    """Two pods whose ticks are counted by the second; each may misbehave in its own way."""

    typed: Typed = field(default_factory=lambda: Typed(FakeCluster()))
    second: int = 0
    until: dict[str, int] = field(default_factory=dict)
    """By pod: when its fault ends."""
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    refuses: str = ""
    opens: bool = True
    lasting: bool = False
    stays_open: bool = False
    work_s: tuple[str, str] = ("0.002", "0.001")
    """Of the ticks, the edge of their bucket: usually, and degraded."""
    late: dict[str, float] = field(
        default_factory=lambda: {"before": 0.0, "chaos": 1.0, "after": 0.0}
    )
    """Share of the frames that fail."""
    deleted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("a", "b"):
            port = {"name": "metrics", "containerPort": 9464}
            self.typed.cluster.pods["default", name] = {
                "metadata": {"name": name, "namespace": "default", "labels": {"a": "b"}},
                "spec": {"containers": [{"ports": [port]}]},
                "status": {"phase": "Running"},
            }
            self.counts[name] = {"ticks": 0, "late": 0, "0.001": 0, "0.002": 0, "0.005": 0}
            self.typed.cluster.texts[name, "/metrics"] = partial(self._metrics, name)
        self.typed.call = self._call
        self.typed.time = Clock(self)

    def passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.second += 1
            for name, count in self.counts.items():
                count["ticks"] += TICKS_A_S
                count["late"] += int(self.late[self._now(name)] * TICKS_A_S)
                count[self.work_s[self._now(name) == "chaos"]] += TICKS_A_S

    def _now(self, name: str) -> str:
        if name not in self.until:
            return "before"
        return "chaos" if self.second <= self.until[name] else "after"

    def _metrics(self, name: str) -> str:
        count, lines, sums = self.counts[name], [], 0
        for edge in ("0.001", "0.002", "0.005", "+Inf"):
            sums += count.get(edge, 0)
            lines.append(f'voiceroom_tick_work_seconds_bucket{{le="{edge}"}} {sums}')
            lines.append(
                f'voiceroom_tick_lateness_seconds_bucket{{side="late",le="{edge}"}} {sums}'
            )
        lines += [f"voiceroom_ticks_total {count['ticks']}"]
        lines += [f"voiceroom_ticks_late_total {count['late']}"]
        return "\n".join(lines) + "\n"

    def _call(self, pod: Object, call: Call) -> Answer:
        name = pod["metadata"]["name"]
        if call.path == "/admin/v1/status":
            return Answer(200, {"breaker": self._breaker(name)})
        if call.method == "POST":
            if name == self.refuses:
                return Answer(409, {"error": "chaos_runs", "message": "step of bob runs"})
            self.until[name] = self.second + FOR_S
        if call.method == "DELETE":
            self.deleted.append(name)
        runs = self._now(name) == "chaos" or (self.lasting and name in self.until)
        return Answer(200, {"active": {"kind": "step"} if runs else None})

    def _breaker(self, name: str) -> str:
        open_ = self._now(name) == "chaos" or (self.stays_open and name in self.until)
        return "open" if self.opens and open_ else "closed"


class Clock(Time):
    """Its sleeps let a world's seconds pass."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def _sleep(self, until_ns: int) -> None:
        self._world.passes((until_ns - self.ns) // NS_PER_S)
        self.ns = until_ns


@pytest.fixture
def world() -> World:
    return World()


def test_the_articles_three_rows_before_under_and_after(world: World) -> None:
    assert world.typed.run(*DRILL) == 0
    lines = [line.split() for line in world.typed.out.splitlines()]
    assert lines[0] == ["POD", "MEASURE", "BEFORE", "CHAOS", "AFTER", "WANTED"]
    assert lines[1][:6] == ["a", "frame", "failure", "0.0%", "100.0%", "0.0%"]
    assert lines[2][:4] == ["breaker", "closed", "open", "closed"]
    assert lines[3][:7] == ["P95", "of", "ticks,", "ms", "1.95", "0.95", "1.95"]
    assert len(lines) == 7
    assert world.typed.err.splitlines()[-2:] == ["a: passed", "b: passed"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"opens": False}, "100.0% of frames failed and the breaker did not open"),
        ({"stays_open": True}, "after: the breaker is open"),
        ({"lasting": True}, "the fault did not end at its deadline"),
        ({"work_s": ("0.002", "0.005")}, "degraded ticks take 4.85 ms at P95, before 1.95"),
        ({"late": {"before": 0, "chaos": 1, "after": 0.1}}, "after: 10.0% of frames failed"),
        ({"late": {"before": 0.1, "chaos": 1, "after": 0}}, "before: 10.0% of frames failed"),
    ],
)
def test_what_is_not_as_it_should_be_fails_it(wrong: dict[str, Any], words: str) -> None:
    world = World(**wrong)
    assert world.typed.run(*DRILL) == 1
    assert words in world.typed.err


def test_a_fault_that_fails_few_frames_need_not_open_the_breaker() -> None:
    world = World(opens=False, late={"before": 0, "chaos": 0.2, "after": 0})
    assert world.typed.run(*DRILL) == 0


def test_a_pod_that_cannot_be_measured_has_not_passed(world: World) -> None:
    def gone() -> str:
        raise ClusterError("dial: refused")

    world.typed.cluster.texts["b", "/metrics"] = gone
    assert world.typed.run(*DRILL) == 1
    assert "b: before: dial: refused" in world.typed.err


def test_where_one_refuses_nobody_keeps_the_fault(world: World) -> None:
    world.refuses = "b"
    with pytest.raises(ClusterError, match="b: HTTP 409: step of bob runs"):
        world.typed.run(*DRILL)
    assert world.deleted == ["a"], "what another has ordered at b is not ours to end"


def test_programs_get_the_figures_and_the_judgement(world: World) -> None:
    world.opens = False
    world.typed.run(*DRILL, "-o", "json")
    first, _ = json.loads(world.typed.out)["items"]
    assert first["chaos"] == {"frameFailureRatio": 1.0, "workP95Ms": 0.95, "breaker": "closed"}
    assert first["passed"] is False
    assert len(first["faults"]) == 1
