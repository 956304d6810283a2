"""voiceroom in a cluster of ours: image, definitions, operator, the examples, and a join link."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from images import cache
from images.cache import BuildError
from images.voiceroom import Image, voiceroom_image
from localcluster import build, paths
from localcluster.cluster import Cluster
from localcluster.controlplane import free_port
from localcluster.failure import ClusterError

NAMESPACE = "voiceroom"
ROOM = "lobby"
EXAMPLES = paths.REPOSITORY / "examples"
CHARTS = paths.REPOSITORY / "charts"
VALUES = Path(__file__).resolve().parent / "values.yaml"
JOIN = "join"
READY_WAIT_S = 180
LINK_WAIT_S = 60.0


class Reachable(Protocol):
    """A cluster, whoever runs it."""

    @property
    def kubeconfig(self) -> Path:
        """The admin's."""


@dataclass(frozen=True)
class Helm:
    """Helm of one major version, 3 or 4, on one cluster."""

    cluster: Reachable
    major: int = 3

    def __call__(self, *arguments: str) -> str:
        """Run it. Raises: ClusterError with what it said."""
        program = str(build.program(f"helm{self.major}"))
        command = [program, "--kubeconfig", str(self.cluster.kubeconfig), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=_helm_environment())
        if done.returncode != 0:
            raise ClusterError(f"helm {arguments[0]}: {done.stderr.strip()}")
        return done.stdout


def install(cluster: Cluster, helm: Helm) -> None:
    """Build the image, put it on the nodes, install or upgrade both charts, apply the examples.

    Returns when the operator runs and the room of the examples is Ready. Raises: ClusterError.
    """
    image = _image()
    cluster.load(image.archive)
    upgrade(helm, image.reference)
    cluster.kubectl("apply", "-f", str(EXAMPLES))
    ready = ("wait", "--for=condition=Ready", f"voiceroom/{ROOM}", f"--timeout={READY_WAIT_S}s")
    cluster.kubectl(*ready)


def upgrade(helm: Helm, image: str, *options: str) -> None:
    """Install or upgrade definitions and operator; `options` go to helm, such as `--set=A=B`."""
    place = ("--install", "--namespace", NAMESPACE, "--create-namespace", "--wait")
    helm("upgrade", "voiceroom-crds", str(CHARTS / "voiceroom-crds"), *place)
    repository, _, tag = image.rpartition(":")
    chosen = f"image.repository={repository},image.tag={tag}"
    values = ("--values", str(VALUES), "--set", chosen, "--timeout", f"{READY_WAIT_S}s")
    helm("upgrade", "voiceroom", str(CHARTS / "voiceroom"), *place, *values, *options)


def join_link(cluster: Cluster) -> str:
    """A link that works in a browser on this machine for as long as the cluster is up.

    It leads to 127.0.0.1: browsers give a page its microphone there and under https only. Made
    once; asked again, the same link is given.
    """
    log = cluster.layout.folder / "log" / f"{JOIN}.log"
    if not any(started.name == JOIN and started.is_alive() for started in cluster.processes.all()):
        log.unlink(missing_ok=True)
        _keep_forwarding(cluster)
    deadline = time.monotonic() + LINK_WAIT_S
    while True:
        if found := re.search(r"http://\S+", log.read_text()):
            return found[0]
        if time.monotonic() > deadline:
            words = cluster.processes.last_words(JOIN)
            raise ClusterError(f"no join link within {LINK_WAIT_S:.0f} s:\n{words}")
        time.sleep(0.2)


def _keep_forwarding(cluster: Cluster) -> None:
    """The plugin forwards a port to one pod, and ends when that pod goes: then it begins anew."""
    plugin = Path(sys.executable).parent / "kubectl-voiceroom"
    command = f'"$0" join {ROOM} --no-open --port {free_port()}'
    loop = f"while :; do {command}; sleep 1; done"
    environment = f"KUBECONFIG={cluster.kubeconfig}"
    cluster.start(JOIN, ["env", environment, "/bin/sh", "-c", loop, str(plugin)])


def _image() -> Image:
    try:
        return voiceroom_image(cache.folder())
    except BuildError as error:
        raise ClusterError(str(error)) from error


def _helm_environment() -> dict[str, str]:
    """Nothing of the user's own Helm settings, plugins and namespaces."""
    home = paths.cache() / "helm"
    folders = {f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in _HELM_FOLDERS}
    return {k: v for k, v in os.environ.items() if not k.startswith("HELM_")} | folders


_HELM_FOLDERS = ("CACHE", "CONFIG", "DATA")
