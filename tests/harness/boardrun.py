"""A real Prometheus that scrapes a real run: a mixer pod with people in and a clock that is
falsified, the node's clock probe, and what operators say after a drift among simulated pods, and
after a canary among them was rolled back."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from fakes.looptime import run
from fakes.town import Town
from harness.boardworld import CHOSEN
from harness.mixer import free_port
from harness.party import Party
from harness.pods import Pod, owned, pods

SCRAPE = "2s"
FAULT: dict[str, Any] = {"kind": "step", "offsetMs": 50, "for": "10m"}
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True)
class Prometheus:
    """At work."""

    url: str

    def series(self, expr: str) -> int:
        """How many a query has now. Raises ``AssertionError`` with Prometheus's words."""
        asked = urllib.parse.urlencode({"query": expr})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{asked}", timeout=10) as answer:
            body = json.loads(answer.read())
        assert body["status"] == "success", body
        return len(body["data"]["result"])

    def empty(self, exprs: list[str], within_s: float) -> list[str]:
        """Those that have no answer in all that time."""
        deadline = time.monotonic() + within_s
        left = exprs
        while left := [expr for expr in left if not self.series(expr)]:
            if time.monotonic() > deadline:
                break
            time.sleep(1)
        return left


@contextmanager
def scraped(program: Path, rules: Path, folder: Path) -> Iterator[Prometheus]:
    """For the time of the block."""
    with ExitStack() as stack:
        (pod,) = stack.enter_context(pods(folder, "m-0", options=("--chaos",)))
        _people(pod, stack)
        node = stack.enter_context(_probe())
        operators = [stack.enter_context(_served(said())) for said in (_drifted, _rolled_back)]
        jobs = [
            _job("mixers", pod.scraped, {one: CHOSEN[one] for one in ("namespace", "pool", "pod")}),
            _job("node-timer-drift", node, {}) | {"honor_labels": True},
            *(
                _job(f"operator-{number}", port, _replica(number), node=False)
                | {"honor_labels": True}
                for number, port in enumerate(operators)
            ),
        ]
        prometheus = stack.enter_context(_prometheus(program, rules, folder, jobs))
        # what has happened before the first scrape has not grown
        assert not prometheus.empty(["voiceroom_drift_faults_total"], within_s=30)
        assert pod.tell("POST", "chaos", FAULT)[0] == 201
        yield prometheus


def _people(pod: Pod, stack: ExitStack) -> None:
    """Two of them talk."""
    assert pod.assign(owned(CHOSEN["room"], "m-0")) == 200
    party = Party(pod)
    for hz, name in ((440.0, "ana"), (660.0, "ben"), (None, "cem")):
        stack.callback(party.join(hz, name).close)


@contextmanager
def _probe() -> Iterator[int]:
    """The node's, as the DaemonSet runs it; its port."""
    port = free_port()
    words = ["-m", "voiceroom_mixer.clockprobe", f"--listen=127.0.0.1:{port}", "--parallel"]
    process = subprocess.Popen([sys.executable, *words, "--sched-latency", "schedstat"])
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _replica(number: int) -> dict[str, str]:
    return {"namespace": "system", "pod": f"o-{number}"}


def _drifted() -> bytes:
    """Its metrics while all pods of a pool are late: nothing is moved, and it says why."""

    async def scene() -> bytes:
        town = Town()
        town.pool(size={"min": 4, "spare": 0})
        meters = town.start()._meters
        town.room()
        await town.ready()
        await asyncio.sleep(15)
        for made in town.pods():
            town.mixer(made).stall("starved")
        await asyncio.sleep(15)
        said = meters.exposition()
        await town.stop()
        return said

    return run(scene())


def _rolled_back() -> bytes:
    """An operator's metrics after its canary was late; the others of its figures were good."""

    async def scene() -> bytes:
        town = Town()
        town.pool("other")
        meters = town.start()._meters
        town.room(poolName="other")
        await town.ready()
        gate = {"lateness": {"window": "10s", "minTicks": 300}, "observe": "5m"}
        trial = {"of": "other", "percent": 100, "gate": gate}
        town.pool(CHOSEN["pool"], size={"min": 1, "spare": 0}, canary=trial)
        await town.until(lambda: _phase_of(town) == "Observing", 60, "it is tried")
        await asyncio.sleep(15)
        for made in town.pods():
            if made.startswith(f"voiceroom-{CHOSEN['pool']}-"):
                town.mixer(made).people |= dict.fromkeys(town.mixer(made).owned(), 3)
                town.mixer(made).faults = {"recovered": 3, "late": 0}
        await asyncio.sleep(15)
        for made in town.pods():
            town.mixer(made).late_share = 0.5
        await town.until(lambda: _phase_of(town) == "RolledBack", 60, "it is rolled back")
        await asyncio.sleep(5)
        said = meters.exposition()
        await town.stop()
        return said

    return run(scene())


def _phase_of(town: Town) -> str:
    return str(dict(town.pool_status(CHOSEN["pool"]).get("canary") or {}).get("phase", ""))


@contextmanager
def _served(body: bytes) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", OPENMETRICS)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def _job(name: str, port: int, labels: Mapping[str, str], *, node: bool = True) -> dict[str, Any]:
    """Labels as the chart's monitors set them."""
    own = dict(labels) | ({"node": CHOSEN["node"]} if node else {})
    return {
        "job_name": name,
        "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": own}],
    }


@contextmanager
def _prometheus(
    program: Path, rules: Path, folder: Path, jobs: list[dict[str, Any]]
) -> Iterator[Prometheus]:
    url = f"127.0.0.1:{free_port()}"
    settings = {"global": {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE}}
    config = folder / "prometheus.yml"
    config.write_text(
        yaml.safe_dump(settings | {"rule_files": [str(rules)], "scrape_configs": jobs})
    )
    options = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [str(program), *options, f"--web.listen-address={url}"], stderr=log, stdout=log
        )
    try:
        yield _ready(f"http://{url}", process, folder)
    finally:
        process.terminate()
        process.wait(20)


def _ready(url: str, process: subprocess.Popen[bytes], folder: Path) -> Prometheus:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
                return Prometheus(url)
        except OSError:
            time.sleep(0.2)
    raise AssertionError((folder / "prometheus.log").read_text()[-2000:])
