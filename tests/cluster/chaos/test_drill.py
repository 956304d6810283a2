"""``kubectl voiceroom chaos`` on real pods: the drill, as a person runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from harness.chaosline import chaos, items
from harness.switches import switched_on
from harness.voice import Voice, until
from localcluster.cluster import Cluster
from localcluster.own import Own

pytestmark = pytest.mark.timeout(300)
FOR = "15s"


@pytest.fixture(scope="module", autouse=True)
def _allowed(installed: Cluster | Own, image: str) -> Iterator[None]:
    """Mixers are started with ``--chaos``."""
    with switched_on(installed, image, "chaos.enabled"):
        yield


@pytest.fixture(scope="module", autouse=True)
def _lobby(_allowed: None, shared: Voice) -> None:
    """A room, on the only mixer of its pool, which takes such orders and is not left."""
    shared.pool("default")
    shared.room("lobby")
    shared.ready("lobby")
    pod = shared.get("pod", shared.owner("lobby"))
    assert "--chaos" in json.dumps(pod["spec"]["containers"][0])


@pytest.mark.timing
def test_the_drill_sees_a_step_cost_nothing(shared: Voice) -> None:
    done = chaos(shared, "step", f"--for={FOR}", "--strength=50ms", "--drill")
    (trial,) = items(done)
    print(done.stdout, done.stderr)
    assert trial["pod"] == shared.owner("lobby")
    assert trial["chaos"]["frameFailureRatio"] < 0.05
    assert trial["chaos"]["breaker"] == "closed"


@pytest.mark.timing
def test_the_drill_sees_the_breaker_open_under_freezes_and_close_after_them(shared: Voice) -> None:
    freezes = ("--strength=300ms", "--period-ms=400")
    done = chaos(shared, "freeze", f"--for={FOR}", *freezes, "--drill")
    (trial,) = items(done)
    print(done.stdout, done.stderr)
    assert trial["pod"] == shared.owner("lobby")
    assert trial["chaos"]["frameFailureRatio"] > 0.5
    assert trial["chaos"]["breaker"] == "open"
    assert trial["after"]["breaker"] == "closed"
    assert (trial["faults"], trial["passed"], done.returncode) == ([], True, 0)


def test_a_fault_is_shown_with_its_verdict_and_ended_by_hand(shared: Voice) -> None:
    assert chaos(shared, "step", "--for=60s", "--strength=50ms").returncode == 0
    until(lambda: "step-one" in str(items(chaos(shared, "show"))), 20, "the mixer sees through it")
    (active,) = items(chaos(shared, "show"))
    assert (active["active"]["kind"], active["active"]["clock"]) == ("step", "monotonic")
    assert chaos(shared, "end").returncode == 0
    assert items(chaos(shared, "show"))[0]["active"] is None
