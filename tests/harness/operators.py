"""The operator as a process on this machine, at work in a real cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from harness.apiproxy import ApiProxy, Call
from harness.mixer import free_port
from harness.voice import OFF, SMALL, Voice, namespace, until
from localcluster.cluster import Cluster

DEFAULT_POOL = {
    "size": {"min": 1, "max": 4, "spare": 0},
    "resources": SMALL,
    "drain": {"deadline": "20s"},
    "remediation": OFF,
}


@dataclass
class LocalOperator:
    """Started, killed and started again; ``namespace`` is the one that it looks after."""

    kubeconfig: Path
    namespace: str
    image: str
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    lease: str = "local-operator"
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    alerts: int = 0
    """The port of ``POST /alerts``."""

    def start(self) -> None:
        """At once; ``until_ready`` waits."""
        self.port, self.alerts = free_port(), free_port()
        pool = self.folder / "default-pool.yaml"
        pool.write_text(yaml.safe_dump(DEFAULT_POOL))
        options = {
            "namespace": self.namespace,
            "own-namespace": self.namespace,
            "lease-name": self.lease,
            "listen": f"127.0.0.1:{self.port}",
            "alerts-listen": f"127.0.0.1:{self.alerts}",
            "mixer-image": self.image,
            "default-pool": str(pool),
            "log-format": "text",
        }
        command = [sys.executable, "-m", "voiceroom_operator"]
        command += [f"--{name}={value}" for name, value in options.items()]
        env = os.environ | {"KUBECONFIG": str(self.kubeconfig)} | dict(self.environ)
        with self._log().open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=env)

    def _log(self) -> Path:
        return self.folder / f"{self.lease}.log"

    def kill(self) -> None:
        """SIGKILL; nothing is released."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL to one that does not go."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()

    def health(self, path: str = "/healthz") -> int:
        """The HTTP status; 0 = nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def until_ready(self) -> None:
        """It leads."""
        until(lambda: self.health("/readyz") == 200, 60, f"the operator is ready: {self.said()}")

    def said(self) -> str:
        """The end of its log."""
        return self._log().read_text()[-3000:]


@contextmanager
def local_operator(made: LocalOperator) -> Iterator[LocalOperator]:
    """Running for the time of the block, unless it is killed meanwhile."""
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def at_work(
    cluster: Cluster, proxy: ApiProxy, image: str, folder: Path, name: str
) -> Iterator[tuple[Voice, LocalOperator]]:
    """An operator that leads, and the namespace that it looks after."""
    with namespace(cluster, name) as voice:
        made = LocalOperator(proxy.kubeconfig, name, image, folder)
        with local_operator(made) as operator:
            operator.until_ready()
            yield voice, operator
            proxy.before, proxy.after = lambda _: 0, lambda _: None
            empty(voice)


def empty(voice: Voice) -> None:
    """The pool's finalizer is released by the operator that runs now."""
    voice.kubectl("delete", "voicerooms", "--all", "--timeout=60s")
    voice.kubectl("delete", "mixerpools", "--all", "--timeout=90s")


def die_after(proxy: ApiProxy, operator: LocalOperator, step: int) -> None:
    """SIGKILL at the ``step``th write from now on, whose answer it does not see."""
    made = 0

    def after(_: Call) -> None:
        nonlocal made
        made += 1
        if made == step and operator.process is not None:
            operator.process.kill()

    proxy.after = after


def begin_anew(proxy: ApiProxy, operator: LocalOperator, voice: Voice) -> None:
    """Another operator in its place, which need not wait for the end of its Lease."""
    proxy.after = lambda _: None
    operator.kill()
    voice.kubectl("delete", "lease", operator.lease)
    operator.start()
