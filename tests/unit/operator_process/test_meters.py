"""The operator's own metrics."""

import asyncio
import re
from pathlib import Path

from fakes.looptime import run
from fakes.town import NAMESPACE, Town
from voiceroom_api.operator_metrics import METRICS
from voiceroom_api.thresholds import PROFILES
from voiceroom_operator.cluster.kinds import POOLS, ROOMS
from voiceroom_operator.running.meters import Meters


def series(text: str, name: str) -> dict[str, float]:
    """Value by labels."""
    found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def test_each_is_exposed_with_its_help() -> None:
    text = Meters().exposition().decode()
    for metric in METRICS:
        family = metric.name.removesuffix("_total") if metric.kind == "counter" else metric.name
        assert f"# HELP {family} {metric.help}" in text.replace("\\n", "\n")
    assert text.endswith("# EOF\n")


def test_each_is_in_the_docs() -> None:
    page = Path(__file__).parents[3] / "docs" / "operator.md"
    _, _, listed = page.read_text().partition("## Metrics")
    rows = {
        f"| `{metric.name}` | {metric.kind} | {', '.join(metric.labels)} | {metric.help} |"
        for metric in METRICS
    }
    assert rows == {line for line in listed.splitlines() if line.startswith("| `")}


def test_a_storm_shows_as_the_reason_and_goes_with_it() -> None:
    async def scene() -> None:
        town = Town()
        town.pool(size={"min": 4, "spare": 0})
        meters = town.start()._meters
        town.room()
        await town.ready()
        await asyncio.sleep(15)
        for pod in town.pods():
            town.mixer(pod).stall("starved")
        await asyncio.sleep(15)
        blocked = series(meters.exposition().decode(), "voiceroom_operator_remediation_blocked")
        at = f'namespace="{NAMESPACE}",pool="default",reason='
        assert blocked[f'{at}"StormActive"'] == 1
        assert sum(blocked.values()) == 1
        for pod in town.pods():
            town.mixer(pod).recover()
        await asyncio.sleep(30)
        blocked = series(meters.exposition().decode(), "voiceroom_operator_remediation_blocked")
        assert sum(blocked.values()) == 0
        await town.stop()

    run(scene())


def test_the_limit_of_lateness_is_that_of_the_pools_profile() -> None:
    async def scene() -> None:
        town = Town()
        town.pool(timing={"profile": "bareMetal"})
        meters = town.start()._meters
        town.room()
        await town.ready()
        limits = series(
            meters.exposition().decode(), "voiceroom_operator_pool_lateness_limit_seconds"
        )
        at = f'namespace="{NAMESPACE}",pool="default"'
        assert limits == {at: PROFILES["bareMetal"].bad_ms / 1000}
        await town.stop()

    run(scene())


def test_series_go_with_what_they_tell_of() -> None:
    async def scene() -> None:
        town = Town()
        meters = town.start()._meters
        town.room()
        await town.ready()
        await asyncio.sleep(15)
        text = meters.exposition().decode()
        rooms = series(text, "voiceroom_operator_rooms")
        assert rooms[f'namespace="{NAMESPACE}",phase="Ready"'] == 1
        ready = f'namespace="{NAMESPACE}",pool="default",state="ready"'
        assert series(text, "voiceroom_operator_pool_pods")[ready] == 2
        assert series(text, "voiceroom_operator_leader") == {"": 1}
        town.api.vanish(ROOMS, NAMESPACE, "standup")
        town.api.remove(POOLS, NAMESPACE, "default")
        await town.until(lambda: not town.api.bodies(POOLS), 60)
        await asyncio.sleep(60)
        text = meters.exposition().decode()
        assert f'namespace="{NAMESPACE}"' not in text
        await town.stop()

    run(scene())
