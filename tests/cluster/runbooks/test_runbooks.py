"""What runbooks tell people to copy and paste, carried out on a real cluster: what changes nothing
as it stands, what changes things as the API server's own dry run, and the moves for real."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from harness import kubelines, pages
from harness.charts import tool
from harness.voice import SMALL, Voice, until

pytestmark = pytest.mark.timeout(400)
OF_OTHERS = {
    ("top", "pod"),
    ("get", "podmonitors"),
    ("get", "prometheusrules"),
    ("get", "pods", "-A", "-l", "app.kubernetes.io/name=prometheus"),
    ("get", "pods", "-A", "-l", "app.kubernetes.io/name=alertmanager"),
}
"""What takes the metrics server, Prometheus or its operator as pods: this cluster is without."""
DRY = {"patch", "label", "annotate", "cordon", "uncordon", "delete"}
"""What the API server can try without doing it. A drain waits until the operator has emptied the
node's mixers, which nobody does in a trial."""
LISTS = ("jsonpath={.status.budget.raises}",)
"""Of what may not have happened."""
NONE_IS_AN_ANSWER = {("get", "networkpolicies")}
"""The chart makes none unless it is asked to."""
PAGES = [*sorted((pages.DOCS / "runbooks").glob("V*.md")), pages.DOCS / "troubleshooting.md"]
NOT_WELL = {("voiceroom", "diagnose"), ("voiceroom", "chaos")}
"""Exit code 1 of these is an answer: a pod does not keep time, as on a busy machine, or its image
or pool takes no drills."""
OPERATOR = "voiceroom"
Line = tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str


def run(voice: Voice, line: Line) -> Answer:
    """As a person with this cluster's kubeconfig does, plugin and all."""
    at = f"--kubeconfig={voice.cluster.kubeconfig}"
    plugin = [sys.executable, "-m", "voiceroom_kubectl", *line[2:3], at, *line[3:]]
    command = plugin if line[1] == "voiceroom" else [str(tool("kubectl")), at, *line[1:]]
    env = os.environ | {"COLUMNS": "160"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=env)
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def places(shared: Voice) -> dict[str, str]:
    """A room on one of two pods, which has been killed once and has the room again by a move."""
    env = [{"name": "TRIED", "value": "yes"}]
    shared.pool("default", size={"min": 2, "max": 4, "spare": 0}, resources=SMALL, env=env)
    shared.room("lobby")
    shared.ready("lobby")
    for name in shared.pods():
        shared.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=90s")
    pod = shared.owner("lobby")
    shared.kill(pod)
    until(lambda: restarts(shared, pod) == 1, 60, "the container begins anew")
    shared.kubectl("wait", "--for=condition=Ready", f"pod/{pod}", "--timeout=90s")
    shared.ready("lobby")
    return {
        "NAMESPACE": shared.namespace,
        "POOL": "default",
        "ROOM": "lobby",
        "POD": pod,
        "NODE": str(shared.get("pod", pod)["spec"]["nodeName"]),
    }


def restarts(voice: Voice, pod: str) -> int:
    return int(voice.get("pod", pod)["status"]["containerStatuses"][0]["restartCount"])


def lines(places: dict[str, str]) -> list[Line]:
    """Each command of the pages once; a pod in the operator's namespace is one of the operator."""
    texts = (page.read_text(encoding="utf-8") for page in PAGES)
    found = (tuple(line) for text in texts for line in pages.commands(text, places))
    return list(dict.fromkeys(line for line in found if line[0] == "kubectl"))


def operators(voice: Voice, line: Line, places: dict[str, str]) -> Line:
    """With a pod of the operator in place of a mixer's."""
    if OPERATOR not in line or places["POD"] not in line:
        return line
    chosen = ("-l", "app.kubernetes.io/component=operator", "-o", "name")
    pods = voice.cluster.kubectl("-n", OPERATOR, "get", "pods", *chosen).split()
    own = pods[0].removeprefix("pod/")
    return tuple(own if word == places["POD"] else word for word in line)


def is_of_others(line: Line) -> bool:
    return any(line[1 : 1 + len(words)] == words for words in OF_OTHERS)


def trouble(voice: Voice, line: Line, places: dict[str, str]) -> str:
    """Why its answer helps nobody; empty when it does."""
    answer = run(voice, line)
    if answer.code > (line[1:3] in NOT_WELL):
        return f"exit code {answer.code}: {answer.err.strip()}"
    may_be_none = line[1:3] in NONE_IS_AN_ANSWER or line[-1] in LISTS
    if not answer.out.strip() and not may_be_none:
        return f"says nothing: {answer.err.strip()}"
    named = [word.rpartition("/")[2] for word in line[2:]]
    lost = [word for word in named if word in _objects(line, places) and word not in answer.out]
    return f"does not say {lost}: {answer.out}" if lost else ""


def _objects(line: Line, places: dict[str, str]) -> set[str]:
    """What an answer has to name."""
    shown = line[1] in ("get", "describe") and not any("jsonpath" in word for word in line)
    if shown or line[1:3] in (("voiceroom", "diagnose"), ("voiceroom", "describe")):
        return {places[name] for name in ("POOL", "ROOM", "POD", "NODE")}
    return set()


def test_a_room_is_moved_as_runbooks_say(shared: Voice, places: dict[str, str]) -> None:
    moves = [line for line in lines(places) if line[1:3] == ("voiceroom", "move")]
    (to,) = {line for line in moves if "--to" in line and "storm, known cause" in line}
    plain = next(line for line in moves if "--to" not in line)
    # It may have moved there by itself since the places were looked up.
    is_there = shared.owner("lobby") == places["POD"]
    for line in (plain, to) if is_there else (to, plain, to):
        answer = run(shared, line)
        assert answer.code == 0, (line, answer)
        away = line is plain
        assert (shared.owner("lobby") != places["POD"]) is away
    assert shared.status("lobby")["moves"]["last"]["reason"] == "Requested"


def test_all_that_changes_nothing_can_be_looked_at(shared: Voice, places: dict[str, str]) -> None:
    looks = [line for line in lines(places) if kubelines.looks_only(list(line))]
    asked = [operators(shared, line, places) for line in looks if not is_of_others(line)]
    assert len(asked) > 60
    failed = {" ".join(line): why for line in asked if (why := trouble(shared, line, places))}
    assert failed == {}


def test_what_changes_things_would_be_taken(shared: Voice, places: dict[str, str]) -> None:
    changes = [line for line in lines(places) if line[1] in DRY]
    assert len(changes) > 20
    failed = {}
    for line in changes:
        dry = (*operators(shared, line, places), "--dry-run=server")
        answer = run(shared, dry)
        if answer.code != 0 or not answer.out.strip():
            failed[" ".join(dry)] = (answer.out + answer.err).strip()
    assert failed == {}


def test_a_room_is_held_and_let_go_as_runbooks_say(shared: Voice, places: dict[str, str]) -> None:
    found = {line[2]: line for line in lines(places) if line[1] == "voiceroom"}
    for command, wanted in (("pause", True), ("resume", False)):
        answer = run(shared, found[command])
        assert answer.code == 0, (found[command], answer)
        paused = shared.get("vr", "lobby")["spec"].get("remediation", {}).get("paused")
        assert bool(paused) is wanted, paused


def test_a_command_that_is_wrong_would_be_found(shared: Voice, places: dict[str, str]) -> None:
    there = ("-n", shared.namespace)
    assert trouble(shared, ("kubectl", "get", "vr", "nobody", *there), places)
    assert trouble(shared, ("kubectl", "get", "vr", "-n", "kube-system"), places)
    assert trouble(shared, ("kubectl", "voiceroom", "diagnose", "pod/nobody", *there), places)
    unnamed = ("kubectl", "get", "mxp", "default", *there, "-o", "jsonpath={.spec.audio}")
    assert trouble(shared, unnamed, places)
