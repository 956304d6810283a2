"""Cases of alerts as a test file of promtool, and its run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from harness.alertcases import AFTER, BEFORE, DURING, SCRAPE_S, Case, Series
from harness.servicecases import ALWAYS
from voiceroom_dashboards.rules import document

Body = dict[str, Any]
BEGIN_S = BEFORE * SCRAPE_S
END_S = (BEFORE + DURING - 1) * SCRAPE_S
LAST_S = (BEFORE + DURING + AFTER - 1) * SCRAPE_S


def run(program: Path, rules: Path, file: Path, groups: Sequence[Body]) -> str:
    """Write ``file``, run it over ``rules``; what promtool found, empty when all is as expected."""
    whole = {
        "rule_files": [str(rules)],
        "evaluation_interval": f"{SCRAPE_S}s",
        # else it is another one in each run
        "group_eval_order": [group.name for group in document.GROUPS],
        "tests": list(groups),
    }
    file.write_text(yaml.safe_dump(whole, sort_keys=False))
    done = subprocess.run(
        [str(program), "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def fires_and_resolves(case: Case) -> Body:
    """Not before, in time and until the end, and not after."""
    fires = [_firing(case.alert, case.labels)]
    checks = {BEGIN_S - SCRAPE_S: [], BEGIN_S + case.within_s: fires, END_S: fires, LAST_S: []}
    return _group(f"{case.alert} fires", case.alert, case.ill, checks)


def stays_quiet(case: Case) -> Iterator[Body]:
    """At no evaluation."""
    times = range(SCRAPE_S, LAST_S, SCRAPE_S)
    for number, series in enumerate(case.near):
        name = f"{case.alert} does not fire, {number}"
        yield _group(name, case.alert, series, {at_s: [] for at_s in times})


def always() -> Body:
    """The watchdog, with nothing scraped at all."""
    fires = [_firing(ALWAYS, "")]
    return _group(f"{ALWAYS} fires", ALWAYS, (), {0: fires, LAST_S: fires})


def _group(name: str, alert: str, series: Sequence[Series], checks: dict[int, list[Body]]) -> Body:
    expr = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
    return {
        "name": name,
        "interval": f"{SCRAPE_S}s",
        "input_series": [_input(one) for one in series],
        "promql_expr_test": [
            {"expr": expr, "eval_time": f"{at_s}s", "exp_samples": samples}
            for at_s, samples in checks.items()
        ],
    }


def _firing(alert: str, labels: str) -> Body:
    (made,) = (one.to_dict() for one in document.alerts() if one.name == alert)
    own = [f'{name}="{value}"' for name, value in made["labels"].items()]
    whole = [f'alertname="{alert}",alertstate="firing"', *own, *filter(None, [labels])]
    return {"labels": f"ALERTS{{{','.join(whole)}}}", "value": 1}


def _input(series: Series) -> Body:
    return {"series": f"{series.name}{{{series.labels}}}", "values": " ".join(_words(series))}


def _words(series: Series) -> Iterator[str]:
    """A target that is not scraped any more leaves a mark of staleness, and then nothing."""
    before: float | None = None
    for value in series.values():
        yield f"{value:g}" if value is not None else "_" if before is None else "stale"
        before = value
