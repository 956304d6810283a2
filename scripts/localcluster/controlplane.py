"""etcd, API server, controller manager and scheduler: the half of a cluster that needs no root.

Alone it serves tests of whatever talks to an API server:

    with controlplane.running(folder) as plane:
        use(plane.kubeconfig)
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from localcluster import build, paths, pki
from localcluster.failure import ClusterError
from localcluster.processes import Processes

CONTEXT = "voiceroom-control-plane"
READY_WAIT_S = 90.0
SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
ADMIN = "admin"
GROUPS = {
    ADMIN: "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
}
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")

# Without kubelets nodes never report and pods never run: the controllers that would therefore
# taint the nodes and delete the pods are left out, all others (service accounts, namespaces,
# garbage collection, disruption budgets, quota, endpoints) work as always.
WITHOUT_NODES = (
    "*",
    "-node-lifecycle-controller",
    "-taint-eviction-controller",
    "-pod-garbage-collector-controller",
)


@dataclass(frozen=True)
class Address:
    """Where the API server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Such as `https://127.0.0.1:6443`."""
        return f"https://{self.host}:{self.port}"


@dataclass(frozen=True)
class ControlPlane:
    """A running control plane; `folder` holds its state, logs and record of processes."""

    folder: Path
    kubeconfig: Path

    def pid(self, name: str) -> int:
        """The process of `etcd`, `kube-apiserver` or `kube-controller-manager`."""
        return Processes(self.folder).named(name).pid

    def pause(self, name: str) -> None:
        """Freeze a process (SIGSTOP): it answers nobody, and its sockets stay open."""
        Processes(self.folder).named(name).send(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a frozen process go on."""
        Processes(self.folder).named(name).send(signal.SIGCONT)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as admin. Raises: ClusterError with what kubectl said."""
        return kubectl(self.kubeconfig, *arguments, stdin=stdin)


def kubectl(kubeconfig: Path, *arguments: str, stdin: str | None = None) -> str:
    """Run kubectl and return what it printed. Raises: ClusterError with its complaint."""
    command = [str(build.program("kubectl")), "--kubeconfig", str(kubeconfig), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, input=stdin)
    if done.returncode != 0:
        raise ClusterError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


@contextlib.contextmanager
def running(folder: Path, *, build_missing: bool = False) -> Iterator[ControlPlane]:
    """A control plane for the time of the block; several may run side by side.

    It is a child that also ends when this process dies in whatever way. Raises: ClusterError when
    programs are not built and `build_missing` is false, or when it does not come up.
    """
    missing = missing_programs()
    if missing and not build_missing:
        raise ClusterError(f"{', '.join(missing)}: not built; `python -m localcluster build`.")
    command = [sys.executable, "-m", "localcluster", "control-plane", "--folder", str(folder)]
    environment = dict(os.environ) | {"PYTHONPATH": str(paths.REPOSITORY / "scripts")}
    with subprocess.Popen(
        [*command, "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as child:
        try:
            yield ControlPlane(folder, _announced(child))
        finally:
            assert child.stdin is not None
            child.stdin.close()
            child.wait(timeout=60)


def missing_programs() -> list[str]:
    """What `running` needs and is not in the cache."""
    return [name for name in PROGRAMS if build.built(name) is None]


def _announced(child: subprocess.Popen[str]) -> Path:
    assert child.stdout is not None
    said = []
    for line in child.stdout:
        said.append(line)
        key, _, value = line.strip().partition("=")
        if key == "KUBECONFIG":
            return Path(value)
    raise ClusterError("the control plane did not come up:\n" + "".join(said[-20:]))


def serve(folder: Path, *, until_stdin_closes: bool) -> None:
    """Run a control plane until SIGTERM or SIGINT; prints `KUBECONFIG=PATH` when it is ready."""
    build.ensure(PROGRAMS)
    folder.mkdir(parents=True, exist_ok=True)
    # The children end with this process even when it is killed.
    processes = Processes(folder, ("setpriv", "--pdeathsig", "KILL"))
    wake = _wake_on_signals()
    try:
        kubeconfig = start(processes, Address("127.0.0.1", free_port()), CONTEXT, WITHOUT_NODES)
        print(f"KUBECONFIG={kubeconfig}", flush=True)
        select.select([wake, *([sys.stdin] if until_stdin_closes else [])], [], [])
    finally:
        processes.stop_all()


def _wake_on_signals() -> int:
    """A descriptor that becomes readable on SIGTERM or SIGINT."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return read


def start(
    processes: Processes,
    address: Address,
    context: str,
    controllers: Sequence[str],
    groups: dict[str, str] | None = None,
    cgroup: Path | None = None,
) -> Path:
    """Start etcd, API server and controller manager; returns the admin's kubeconfig when ready.

    `groups` are further users with a token, such as the nodes.
    """
    folder = processes.folder
    users = GROUPS | (groups or {})
    credentials = pki.create(folder / "pki", [address.host, SERVICE_ADDRESS], users)
    for user in users:
        credentials.kubeconfig(user, address.url, context, user_file(folder, user))
    client, peer = free_port(), free_port()
    processes.start("etcd", etcd_command(folder, client, peer), cgroup)
    command = apiserver_command(credentials, address, client)
    processes.start("kube-apiserver", command, cgroup)
    wait_ready(processes, address)
    command = controller_manager_command(credentials, folder, controllers)
    processes.start("kube-controller-manager", command, cgroup)
    kubeconfig = user_file(folder, ADMIN)
    _wait_service_account(processes, kubeconfig)
    return kubeconfig


def user_file(folder: Path, user: str) -> Path:
    """The kubeconfig of one user."""
    return folder / f"{user.rpartition(':')[2]}.kubeconfig"


def etcd_command(folder: Path, client: int, peer: int) -> list[str]:
    """etcd on loopback; nothing is synced to disk, as nothing outlives the cluster."""
    urls = {"client": f"http://127.0.0.1:{client}", "peer": f"http://127.0.0.1:{peer}"}
    return [
        str(build.program("etcd")),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={urls['client']}",
        f"--advertise-client-urls={urls['client']}",
        f"--listen-peer-urls={urls['peer']}",
        f"--initial-advertise-peer-urls={urls['peer']}",
        f"--initial-cluster=default={urls['peer']}",
        "--unsafe-no-fsync",
    ]


def apiserver_command(credentials: pki.Credentials, address: Address, etcd: int) -> list[str]:
    """The API server, its own certificate authority, tokens from a file."""
    file = credentials.file
    return [
        str(build.program("kube-apiserver")),
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        f"--bind-address={address.host}",
        f"--advertise-address={address.host}",
        f"--secure-port={address.port}",
        f"--cert-dir={credentials.folder}",
        f"--tls-cert-file={file('apiserver.crt')}",
        f"--tls-private-key-file={file('apiserver.key')}",
        f"--client-ca-file={file('ca.crt')}",
        f"--token-auth-file={file('tokens.csv')}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--service-account-key-file={file('service-accounts.key')}",
        f"--service-account-signing-key-file={file('service-accounts.key')}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--kubelet-client-certificate={file('kubelet-client.crt')}",
        f"--kubelet-client-key={file('kubelet-client.key')}",
        "--kubelet-preferred-address-types=InternalIP",
        # It sheds load by itself only on larger machines; a short grace makes `down` quick.
        "--shutdown-delay-duration=0s",
        "--profiling=false",
    ]


def controller_manager_command(
    credentials: pki.Credentials, folder: Path, controllers: Sequence[str]
) -> list[str]:
    """The controller manager, without a port of its own."""
    config = user_file(folder, "system:kube-controller-manager")
    return [
        str(build.program("kube-controller-manager")),
        *_as_client(config),
        f"--controllers={','.join(controllers)}",
        f"--root-ca-file={credentials.file('ca.crt')}",
        f"--service-account-private-key-file={credentials.file('service-accounts.key')}",
        "--use-service-account-credentials=true",
        "--node-monitor-grace-period=20s",
        "--concurrent-gc-syncs=5",
    ]


def scheduler_command(folder: Path) -> list[str]:
    """The scheduler, without a port of its own."""
    config = user_file(folder, "system:kube-scheduler")
    return [str(build.program("kube-scheduler")), *_as_client(config)]


def _as_client(kubeconfig: Path) -> list[str]:
    options = ("--kubeconfig", "--authentication-kubeconfig", "--authorization-kubeconfig")
    return [*(f"{o}={kubeconfig}" for o in options), "--leader-elect=false", "--secure-port=0"]


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_ready(processes: Processes, address: Address, wait_s: float = READY_WAIT_S) -> None:
    """Until `/readyz` is ok. Raises: ClusterError with the log's end when it never is."""
    trust = ssl.create_default_context(cafile=str(processes.folder / "pki" / "ca.crt"))
    deadline = time.monotonic() + wait_s
    while not _is_ready(address, trust):
        processes.must_live("etcd")
        processes.must_live("kube-apiserver")
        if time.monotonic() > deadline:
            words = processes.last_words("kube-apiserver")
            raise ClusterError(f"kube-apiserver was not ready within {wait_s:.0f} s:\n{words}")
        time.sleep(0.2)


def _is_ready(address: Address, trust: ssl.SSLContext) -> bool:
    try:
        with urllib.request.urlopen(f"{address.url}/readyz", timeout=2, context=trust) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _wait_service_account(processes: Processes, kubeconfig: Path) -> None:
    """Pods are refused in a namespace until its service account `default` is there."""
    deadline = time.monotonic() + READY_WAIT_S
    command = ("get", "serviceaccount", "default", "--ignore-not-found", "-o", "name")
    while not kubectl(kubeconfig, "-n", "default", *command):
        processes.must_live("kube-controller-manager")
        if time.monotonic() > deadline:
            raise ClusterError("kube-controller-manager made no service account: see its log.")
        time.sleep(0.2)
