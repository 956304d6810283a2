"""``chaos``, as a person types it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from fakes.kubecluster import FakeCluster
from fakes.typed import Typed
from voiceroom_kubectl.cluster import ClusterError, NotFound, Object
from voiceroom_kubectl.report import Answer, Call

ON = ("--pod-selector", "voiceroom.dev/pool=stage")
OFF = Answer(404, {"error": "chaos_off", "message": "chaos is switched off here: chaos.enabled"})
NOTHING: dict[str, Any] = {"active": None, "verdicts": [None]}


def pod(name: str, pool: str = "stage") -> Object:
    metadata = {"name": name, "namespace": "default", "labels": {"voiceroom.dev/pool": pool}}
    return {"metadata": metadata, "spec": {"nodeName": f"node-{name}"}}


@dataclass
class Mixers:
    """Two of the pool ``stage`` and one of another; ``answers`` are those of a pod."""

    asked: list[tuple[str, Call]] = field(default_factory=list)
    answers: dict[str, Answer | str] = field(default_factory=dict)

    def typed(self) -> Typed:
        cluster = FakeCluster()
        for one in (pod("a"), pod("b"), pod("c", "other")):
            cluster.pods["default", one["metadata"]["name"]] = one
        return Typed(cluster, call=self.call)

    def call(self, one: Object, call: Call) -> Answer:
        name = one["metadata"]["name"]
        self.asked.append((name, call))
        answer = self.answers.get(name, Answer(200, NOTHING))
        if isinstance(answer, str):
            raise ClusterError(answer)
        return answer


@pytest.fixture
def mixers() -> Mixers:
    return Mixers()


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (("step",), {"offsetMs": 50, "clock": "monotonic"}),
        (("step", "--strength=-120ms", "--clock", "all"), {"offsetMs": -120, "clock": "all"}),
        (("saw", "--strength", "30"), {"offsetMs": 30, "periodMs": 1000, "clock": "monotonic"}),
        (("rate", "--strength", "800ppm"), {"ppm": 800, "clock": "monotonic"}),
        (("freeze", "--period-ms", "500"), {"freezeMs": 200, "periodMs": 500}),
    ],
)
def test_every_pod_with_the_labels_is_asked_and_no_other(
    mixers: Mixers, words: tuple[str, ...], body: dict[str, Any]
) -> None:
    assert mixers.typed().run("chaos", *words, *ON, "--for", "2m") == 0
    wanted = Call("POST", "/admin/v1/chaos", {"kind": words[0], "for": "120s"} | body)
    assert mixers.asked == [("a", wanted), ("b", wanted)]


def test_what_runs_stands_in_a_table(mixers: Mixers) -> None:
    active = {"kind": "step", "offsetMs": 50, "clock": "raw", "by": "ana", "leftMs": 41_000}
    mixers.answers["a"] = Answer(200, {"active": active, "verdicts": ["step-one", None]})
    typed = mixers.typed()
    assert typed.run("chaos", "show", *ON) == 0
    head, first, second = typed.out.splitlines()
    assert head.split() == ["POD", "NODE", "FAULT", "BY", "LEFT", "VERDICT", "ANSWER"]
    assert first.split() == [
        *("a", "node-a", "step", "+50ms", "of", "raw", "ana", "41s", "step-one", "ok"),
    ]
    assert second.split() == ["b", "node-b", "-", "-", "-", "-", "ok"]
    assert {call.method for _, call in mixers.asked} == {"GET"}


def test_it_is_ended_before_its_time(mixers: Mixers) -> None:
    assert mixers.typed().run("chaos", "end", *ON) == 0
    assert [call.method for _, call in mixers.asked] == ["DELETE", "DELETE"]


def test_where_the_switch_is_off_it_is_refused_in_words(mixers: Mixers) -> None:
    mixers.answers = {"a": OFF, "b": "the pod b does not answer: reset"}
    typed = mixers.typed()
    assert typed.run("chaos", "step", *ON) == 1
    assert "HTTP 404: chaos is switched off here: chaos.enabled" in typed.out
    assert "the pod b does not answer" in typed.out


def test_programs_get_all_of_it(mixers: Mixers) -> None:
    mixers.answers["b"] = OFF
    typed = mixers.typed()
    typed.run("chaos", "show", *ON, "-o", "json")
    first, second = json.loads(typed.out)["items"]
    assert first == {"pod": "a", "node": "node-a"} | NOTHING
    assert "switched off" in second["error"]


def test_labels_that_nobody_has(mixers: Mixers) -> None:
    with pytest.raises(NotFound, match="no mixer pod in default has the labels a=b"):
        mixers.typed().run("chaos", "step", "--pod-selector", "a=b")
