"""The programs that are built, each from a Go module whose go.mod and go.sum are committed."""

from __future__ import annotations

import hashlib
import platform
import re
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.paths import GO_MODULES

KUBERNETES = "k8s.io/kubernetes"
ETCD = "go.etcd.io/etcd/server/v3"
HELM3 = "helm.sh/helm/v3"
HELM4 = "helm.sh/helm/v4"
PROMETHEUS = "github.com/prometheus/prometheus"
ALERTMANAGER = "github.com/prometheus/alertmanager"


@dataclass(frozen=True)
class Tool:
    """One program: `package` of `module`, built in folder `go/FOLDER`.

    A package that begins with `./` is a folder of ours there, which uses `module`.
    `minutes` is what a cold build took on two cores, for the progress line. `stamps` are Go
    variables that the linker sets; {version}, {major} and {minor} in them are filled in. `tags` are
    build tags.
    """

    name: str
    folder: str
    module: str
    package: str
    minutes: float
    program: str = ""
    stamps: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """What go.mod requires, such as `v1.34.4`."""
        text = (GO_MODULES / self.folder / "go.mod").read_text()
        found = re.search(rf"^(?:require )?\s*{re.escape(self.module)} (v\S+)", text, re.MULTILINE)
        if found is None:
            raise ValueError(f"go/{self.folder}/go.mod does not require {self.module}")
        return found[1]

    @property
    def file_name(self) -> str:
        """The executable's name: `helm` for helm3 and helm4."""
        return self.program or self.name

    def ldflags(self) -> str:
        """Flags for the linker: no symbols, and the version, which a plain build lacks."""
        major, minor = kubernetes_version()
        values = {"version": self.version, "major": major, "minor": minor}
        stamps = [f"-X {name}={value.format(**values)}" for name, value in self.stamps.items()]
        return " ".join(["-s", "-w", *stamps])

    def key(self) -> str:
        """Names the cache folder; another version, go.mod, go.sum, flag, platform or other source
        of ours is another."""
        module = GO_MODULES / self.folder
        digest = hashlib.sha256(self.ldflags().encode())
        digest.update(",".join(self.tags).encode())
        for path in (module / "go.mod", module / "go.sum", *self._sources()):
            digest.update(path.read_bytes())
        return f"{self.name}-{self.version}-{host_platform()}-{digest.hexdigest()[:8]}"

    def _sources(self) -> list[Path]:
        """Those of ours."""
        ours = self.package.startswith("./")
        return sorted((GO_MODULES / self.folder / self.package).glob("*.go")) if ours else []


# Without a version the API server calls itself v0.0.0, and Helm's kubeVersion refuses it.
_KUBERNETES_STAMPS = {
    "k8s.io/component-base/version.gitVersion": "{version}",
    "k8s.io/component-base/version.gitMajor": "{major}",
    "k8s.io/component-base/version.gitMinor": "{minor}",
    "k8s.io/client-go/pkg/version.gitVersion": "{version}",
}


def _kubernetes(name: str, minutes: float) -> Tool:
    package = f"{KUBERNETES}/cmd/{name}"
    return Tool(name, "kubernetes", KUBERNETES, package, minutes, stamps=_KUBERNETES_STAMPS)


def _helm(major: int, module: str, minutes: float, stamps: dict[str, str]) -> Tool:
    stamps = {f"{module}/internal/version.version": "{version}"} | stamps
    package = f"{module}/cmd/helm"
    return Tool(f"helm{major}", f"helm{major}", module, package, minutes, "helm", stamps)


# Helm 3 believes that a chart rendered without a cluster is for Kubernetes 1.20 unless told.
_HELM3_KUBERNETES = {
    f"{HELM3}/pkg/chartutil.k8sVersionMajor": "{major}",
    f"{HELM3}/pkg/chartutil.k8sVersionMinor": "{minor}",
    f"{HELM3}/pkg/lint/rules.k8sVersionMajor": "{major}",
    f"{HELM3}/pkg/lint/rules.k8sVersionMinor": "{minor}",
}


def _of_prometheus(name: str, minutes: float) -> Tool:
    """Of the ways to find targets only the cluster's and files are built in; there is no web UI."""
    package, stamps = f"{PROMETHEUS}/cmd/{name}", {_COMMON_VERSION: "{version}"}
    tags = ("remove_all_sd", "enable_kubernetes_sd")
    return Tool(name, "prometheus", PROMETHEUS, package, minutes, stamps=stamps, tags=tags)


_COMMON_VERSION = "github.com/prometheus/common/version.Version"

# In the order in which they are built: what a control plane needs comes first.
TOOLS = (
    Tool("etcd", "etcd", ETCD, ETCD, 2),
    _kubernetes("kube-apiserver", 7),
    _kubernetes("kube-controller-manager", 1),
    _kubernetes("kubectl", 1),
    _kubernetes("kube-scheduler", 0.2),
    _kubernetes("kubelet", 1.4),
    _kubernetes("kube-proxy", 0.3),
    Tool("coredns", "coredns", "github.com/coredns/coredns", "github.com/coredns/coredns", 3.5),
    _helm(3, HELM3, 2.5, _HELM3_KUBERNETES),
    _helm(4, HELM4, 2.8, {}),
    Tool(
        "kubeconform",
        "kubeconform",
        "github.com/yannh/kubeconform",
        "github.com/yannh/kubeconform/cmd/kubeconform",
        0.1,
        stamps={"main.version": "{version}"},
    ),
    Tool(
        "kube-score",
        "kube-score",
        "github.com/zegl/kube-score",
        "github.com/zegl/kube-score/cmd/kube-score",
        1.1,
    ),
    _of_prometheus("promtool", 1.9),
    _of_prometheus("prometheus", 1.3),
    Tool(
        "alertmanager",
        "alertmanager",
        ALERTMANAGER,
        f"{ALERTMANAGER}/cmd/alertmanager",
        0.8,
        stamps={_COMMON_VERSION: "{version}"},
    ),
)
BY_NAME = {tool.name: tool for tool in TOOLS}


def kubernetes_version() -> tuple[str, str]:
    """Major and minor version of the cluster."""
    text = (GO_MODULES / "kubernetes" / "go.mod").read_text()
    found = re.search(rf"{re.escape(KUBERNETES)} v(\d+)\.(\d+)\.", text)
    if found is None:
        raise ValueError(f"go/kubernetes/go.mod does not require {KUBERNETES}")
    return found[1], found[2]


def host_platform() -> str:
    """This machine as Go names it, such as `linux-amd64`."""
    machine = platform.machine()
    return f"linux-{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"


def module_of(tool: Tool) -> Path:
    """The folder with the tool's go.mod."""
    return GO_MODULES / tool.folder
