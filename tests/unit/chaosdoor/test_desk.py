"""Every experiment ends, whatever happens to whoever began it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fakes.nodes import TARGET, UID, FakeCgroups
from voiceroom_api.units import NS_PER_S
from voiceroom_chaosdoor.desk import MOST, Desk
from voiceroom_chaosdoor.journal import Entry, Journal
from voiceroom_chaosdoor.means import SwitchedOff, Throttle
from voiceroom_chaosdoor.order import Order
from voiceroom_chaosdoor.quota import Quota
from voiceroom_chaosdoor.refusal import Refused

HALF = Order("throttle", 20, percent=50)
BEFORE, GIVEN = Quota(50_000, 100_000), Quota(25_000, 100_000)
PATH = f"pod{UID}/c0ffee"
OFF = "netem is switched off: chaos.node.netem"


@dataclass
class Node:
    """A node and the door on it, which may be killed."""

    folder: Path
    stack: ExitStack
    cgroups: FakeCgroups = field(default_factory=lambda: FakeCgroups({PATH: BEFORE}))
    now_s: float = 1000.0
    told: list[tuple[str, str]] = field(default_factory=list)
    journals: list[Journal] = field(default_factory=list)

    def door(self) -> Desk:
        """A new one, after the one before was killed."""
        for journal in self.journals:
            journal.close()
        self.journals = [Journal(self.folder)]
        return Desk(
            {"throttle": Throttle(self.cgroups), "netem": SwitchedOff(OFF)},
            self.journals[0],
            boot_ns=lambda: int(self.now_s * NS_PER_S),
            wall_s=lambda: 1_772_366_400,
            tell=self.tell,
        )

    def tell(self, entry: Entry, what: str, words: str) -> None:
        """An event."""
        self.told.append((what, words))

    @property
    def quota(self) -> Quota:
        """Of the mixer."""
        return self.cgroups.quotas[PATH]

    @property
    def kept(self) -> list[str]:
        """Files of the journal."""
        return [path.name for path in self.folder.glob("*.json")]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with ExitStack() as stack:
        made = Node(tmp_path, stack)
        yield made
        for journal in made.journals:
            journal.close()


def test_it_is_undone_at_its_deadline_and_not_before(node: Node) -> None:
    desk = node.door()
    shown = desk.begin(HALF, TARGET)["active"]
    assert (shown["kind"], shown["percent"], shown["leftMs"]) == ("throttle", 50, 20_000)
    assert shown["until"] == "2026-03-01T12:00:20Z"
    assert (node.quota, node.kept) == (GIVEN, [f"{UID}.json"])
    node.now_s += 19.9
    desk.look()
    assert node.quota == GIVEN
    node.now_s += 0.1
    desk.look()
    assert (node.quota, node.kept) == (BEFORE, [])
    assert desk.document("voice", "stage-0") == {"active": None}
    assert desk.counts.undone["throttle", "deadline"] == 1
    assert node.told == [
        ("Began", "throttle (percent 50) for 20 s"),
        ("Over", "throttle (percent 50) is over (deadline): all is as before"),
    ]


def test_the_successor_of_a_door_that_was_killed_undoes_it_at_once(node: Node) -> None:
    node.door().begin(HALF, TARGET)
    assert node.quota == GIVEN
    successor = node.door()
    successor.look()
    assert (node.quota, node.kept) == (BEFORE, [])
    assert successor.counts.undone["throttle", "recovered"] == 1
    successor.look()
    assert node.told[1:] == [
        ("Over", "throttle (percent 50) is over (recovered): all is as before")
    ]


def test_a_door_that_was_killed_between_the_note_and_the_act_leaves_nothing(node: Node) -> None:
    desk = node.door()
    desk.begin(HALF, TARGET)
    node.cgroups.quotas[PATH] = BEFORE
    node.door().look()
    assert (node.quota, node.kept) == (BEFORE, [])


def test_a_door_that_is_stopped_undoes_all_and_begins_nothing_more(node: Node) -> None:
    desk = node.door()
    desk.begin(HALF, TARGET)
    desk.stop()
    assert (node.quota, node.kept) == (BEFORE, [])
    with pytest.raises(Refused, match="successor"):
        desk.begin(HALF, TARGET)
    assert node.quota == BEFORE


def test_it_is_ended_on_demand_and_a_second_time_is_harmless(node: Node) -> None:
    desk = node.door()
    desk.begin(HALF, TARGET)
    assert desk.end("voice", "other") == {"active": None}
    assert node.quota == GIVEN
    assert desk.end("voice", "stage-0") == {"active": None}
    assert node.quota == BEFORE
    desk.end("voice", "stage-0")
    assert desk.counts.undone["throttle", "asked"] == 1


def test_one_experiment_a_pod(node: Node) -> None:
    desk = node.door()
    desk.begin(HALF, TARGET)
    node.now_s += 5
    with pytest.raises(Refused, match=r"throttle runs for another 15\.0 s: wait, or DELETE it"):
        desk.begin(HALF, TARGET)
    node.now_s += 15
    desk.begin(HALF, TARGET)  # the deadline has come, and nobody has looked yet
    assert node.quota == GIVEN


def test_so_many_at_once_and_no_more(node: Node) -> None:
    desk = node.door()
    for number in range(MOST + 1):
        node.cgroups.quotas[f"pod{number}/c0ffee"] = BEFORE
    targets = [replace(TARGET, uid=str(number), pod=f"p{number}") for number in range(MOST + 1)]
    for one in targets[:MOST]:
        desk.begin(HALF, one)
    with pytest.raises(Refused, match="no more may") as caught:
        desk.begin(HALF, targets[MOST])
    assert caught.value.status == 409
    assert desk.active() == {"throttle": MOST, "netem": 0}


def test_what_cannot_be_undone_is_tried_again_and_shown_until_it_is(node: Node) -> None:
    desk = node.door()
    desk.begin(HALF, TARGET)
    node.cgroups.refuses = True
    node.now_s += 20
    desk.look()
    desk.look()
    assert desk.counts.undo_failures["throttle"] == 2
    assert (desk.active()["throttle"], node.kept) == (1, [f"{UID}.json"])
    with pytest.raises(Refused, match="not undone yet"):
        desk.begin(HALF, TARGET)
    node.cgroups.refuses = False
    desk.look()
    assert (node.quota, node.kept, desk.active()["throttle"]) == (BEFORE, [], 0)
    assert desk.counts.undone["throttle", "deadline"] == 1


def test_what_the_kernel_refuses_is_not_begun(node: Node) -> None:
    desk = node.door()
    node.cgroups.refuses = True
    with pytest.raises(Refused, match="Invalid argument") as caught:
        desk.begin(HALF, TARGET)
    assert caught.value.status == 500
    assert (node.quota, node.kept, desk.active()["throttle"]) == (BEFORE, [], 0)
    assert (desk.counts.begun["throttle"], desk.counts.undone["throttle", "failed"]) == (0, 1)


def test_a_quota_that_somebody_else_has_set_meanwhile_stays(node: Node) -> None:
    desk = node.door()
    desk.begin(HALF, TARGET)
    node.cgroups.quotas[PATH] = Quota(80_000, 100_000)
    desk.end("voice", "stage-0")
    assert node.quota == Quota(80_000, 100_000)
    assert "left as it is" in node.told[-1][1]


def test_a_quota_that_a_kubelet_puts_back_meanwhile_is_taken_again(node: Node) -> None:
    desk = node.door()
    desk.begin(HALF, TARGET)
    node.cgroups.quotas[PATH] = BEFORE
    node.now_s += 19.9
    desk.look()
    assert (node.quota, node.kept) == (GIVEN, [f"{UID}.json"])
    node.now_s += 0.1
    desk.look()
    assert (node.quota, node.kept) == (BEFORE, [])
    assert [what for what, _ in node.told] == ["Began", "Over"]


def test_a_quota_that_somebody_else_has_set_is_not_taken_again(node: Node) -> None:
    desk = node.door()
    desk.begin(HALF, TARGET)
    node.cgroups.quotas[PATH] = Quota(80_000, 100_000)
    desk.look()
    assert node.quota == Quota(80_000, 100_000)


def test_what_cannot_be_taken_again_now_is_at_the_next_look(node: Node) -> None:
    desk = node.door()
    desk.begin(HALF, TARGET)
    node.cgroups.quotas[PATH], node.cgroups.refuses = BEFORE, True
    desk.look()
    assert node.quota == BEFORE
    node.cgroups.refuses = False
    desk.look()
    assert node.quota == GIVEN
    assert desk.counts.undo_failures["throttle"] == 0


def test_a_pod_that_ends_is_looked_at_in_vain(node: Node) -> None:
    desk = node.door()
    desk.begin(HALF, TARGET)
    del node.cgroups.quotas[PATH]
    desk.look()
    assert (node.cgroups.quotas, desk.active()["throttle"]) == ({}, 1)


def test_a_pod_that_ends_meanwhile_takes_it_along(node: Node) -> None:
    desk = node.door()
    desk.begin(HALF, TARGET)
    del node.cgroups.quotas[PATH]
    node.now_s += 20
    desk.look()
    assert (node.kept, node.cgroups.quotas) == ([], {})
    assert "the pod has ended" in node.told[-1][1]


def test_a_mixer_without_a_quota_gets_so_much_of_one_cpu(node: Node) -> None:
    node.cgroups.quotas[PATH] = Quota(None, 100_000)
    desk = node.door()
    desk.begin(HALF, TARGET)
    assert node.quota == Quota(50_000, 100_000)
    desk.end("voice", "stage-0")
    assert node.quota == Quota(None, 100_000)


def test_less_than_the_kernel_takes_is_never_asked_of_it(node: Node) -> None:
    node.cgroups.quotas[PATH] = Quota(5_000, 100_000)
    node.door().begin(replace(HALF, percent=1), TARGET)
    assert node.quota == Quota(1_000, 100_000)


def test_a_share_that_is_no_less_is_refused(node: Node) -> None:
    node.cgroups.quotas[PATH] = Quota(1_000, 100_000)
    with pytest.raises(Refused, match="percent: 50 % of 1000 us is no less"):
        node.door().begin(HALF, TARGET)


def test_a_mixer_that_is_not_on_the_node_is_refused(node: Node) -> None:
    with pytest.raises(Refused, match="no cgroup of the mixer of the pod stage-0"):
        node.door().begin(HALF, replace(TARGET, container="other"))
    assert node.kept == []


def test_what_takes_rights_that_the_door_has_not_is_refused(node: Node) -> None:
    with pytest.raises(Refused, match=r"chaos\.node\.netem") as caught:
        node.door().begin(Order("netem", 20, delay_ms=50), TARGET)
    assert caught.value.error == "chaos_off"
