"""Helm in both versions, and kubeconform with the API server's own schemas."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from harness.charts import FOREIGN, Helm, standalone, tool
from localcluster.controlplane import ControlPlane


@pytest.fixture(params=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest) -> Helm:
    """Both versions that people have, without a cluster."""
    return Helm(tool(request.param))


@pytest.fixture
def helm_at(helm: Helm, control_plane: ControlPlane) -> Helm:
    """Both, towards a real API server."""
    return Helm(helm.path, control_plane.kubeconfig)


Check = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def kubeconform(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Checks manifests against the API server's own schemas and those of our resources."""
    program, folder = tool("kubeconform"), tmp_path_factory.mktemp("schemas")
    spec = json.loads(control_plane.kubectl("get", "--raw", "/openapi/v2"))
    for name, definition in spec["definitions"].items():
        for kind in definition.get("x-kubernetes-group-version-kind", []):
            whole = standalone(name, spec["definitions"])
            group = f"{kind['group'].partition('.')[0]}-" if kind["group"] else ""
            file = f"{kind['kind']}-{group}{kind['version']}.json".lower()
            (folder / file).write_text(whole)

    def check(manifests: str) -> subprocess.CompletedProcess[str]:
        location = f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
        options = ("-strict", "-summary", f"-schema-location={location}", "-output=text")
        skipped = f"-skip={','.join(FOREIGN)}"
        return subprocess.run(
            [str(program), *options, skipped, "-"],
            input=manifests,
            capture_output=True,
            text=True,
            check=False,
        )

    return check
