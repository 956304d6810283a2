"""What is told of canaries: docs, metrics, and who may reach whose mixers."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from voiceroom_api import names
from voiceroom_api.poolparts import Network
from voiceroom_operator.canary.gate import Gate
from voiceroom_operator.canary.indicators import judge
from voiceroom_operator.canary.record import Record
from voiceroom_operator.canary.series import Seen, Slot
from voiceroom_operator.canary.words import REASONS
from voiceroom_operator.children.marks import PoolRef
from voiceroom_operator.children.networkpolicy import network_policy
from voiceroom_operator.running.meters import Meters

PAGE = Path(__file__).parents[3] / "docs" / "canary.md"


def test_every_reason_is_in_the_docs() -> None:
    _, _, after = PAGE.read_text().partition("## Reasons")
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", after, re.MULTILINE)) == REASONS


def test_every_reason_is_declared_for_metrics() -> None:
    assert set(names.CANARY_REASONS) == set(REASONS)


def record(phase: str = "Observing") -> Record:
    late = (990, *[0] * 11, 10)
    seen = Seen(0.0, (Slot(0.0, late),), (Slot(0.0, (3, 4)),))
    found = judge(seen, Gate(min_ticks=1, min_samples=1), 1000.0)
    return Record(phase, "Observing", "", 0.0, "default", "r", 7, indicators=found)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("late_ticks", "verdict"), [(0, "TooFew"), (11, "TooFew"), (13, "Bad"), (899, "Bad")]
)
def test_of_too_few_ticks_so_many_late_ones_are_bad_whatever_the_others_were(
    late_ticks: int, verdict: str
) -> None:
    late = (899 - late_ticks, *[0] * 11, late_ticks)
    seen = Seen(0.0, (Slot(0.0, late),))
    lateness, *_ = judge(seen, Gate(min_ticks=1200), 1000.0)
    assert (lateness.verdict, lateness.samples) == (verdict, 899)


def test_figures_of_the_gate_are_metrics_until_the_canary_is_gone() -> None:
    meters = Meters()
    meters.tried("voice", {"next": record()})
    shown = meters.exposition().decode()
    labels = 'namespace="voice",of="default",pool="next"'
    for line in (
        'voiceroom_operator_canary_phase{namespace="voice",of="default",phase="Observing",'
        'pool="next"} 1.0',
        'voiceroom_operator_canary_reason{namespace="voice",of="default",pool="next",'
        'reason="Observing"} 1.0',
        f"voiceroom_operator_canary_rooms{{{labels}}} 7.0",
        f'voiceroom_operator_canary_limit{{indicator="Lateness",{labels}}} 0.002',
        f'voiceroom_operator_canary_indicator{{indicator="Jitter",{labels}}} 0.75',
        f'voiceroom_operator_canary_samples{{indicator="Jitter",{labels}}} 4.0',
        f'voiceroom_operator_canary_needed{{indicator="Jitter",{labels}}} 1.0',
    ):
        assert line in shown, line
    assert f'indicator="Recoveries",{labels}}} 0.0' in shown
    rolled_back = replace(record("RolledBack"), reason="NotReady")
    meters.tried("voice", {"next": rolled_back})
    reasons = re.findall(r'canary_reason\{.*reason="(\w+)"\}', meters.exposition().decode())
    assert reasons == ["NotReady"]
    meters.tried("voice", {})
    assert 'of="default"' not in meters.exposition().decode()


def test_mixers_of_a_canary_and_its_pool_reach_each_other() -> None:
    pool = PoolRef("default", "voice", "uid")
    policy = network_policy(pool, Network(), 1, {"podSelector": {}}, [], ("default", "next"))
    assert policy is not None
    admin = policy["spec"]["ingress"][1]["from"][1:]
    pools = [peer["podSelector"]["matchLabels"]["voiceroom.dev/pool"] for peer in admin]
    assert pools == ["default", "next"]
    assert policy["spec"]["podSelector"]["matchLabels"]["voiceroom.dev/pool"] == "default"
