"""The operator's client at a real API server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from contract.apisuite import NAMESPACE, ApiSuite, Scene
from localcluster.controlplane import ControlPlane
from voiceroom_operator.cluster.client import HttpApi, load_configuration

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def place(plane: ControlPlane) -> Iterator[ControlPlane]:
    """With a namespace of its own."""
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    plane.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    yield plane
    plane.kubectl("delete", "namespace", NAMESPACE)


class TestHttpApi(ApiSuite):
    """The suite, for real."""

    @pytest.fixture(autouse=True)
    def _towards(self, place: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBECONFIG", str(place.kubeconfig))
        self.seen: list[tuple[str, str, int]] = []

    def play(self, scene: Scene) -> None:
        asyncio.run(self._played(scene))

    async def _played(self, scene: Scene) -> None:
        from kubernetes.aio.client import ApiClient

        client = ApiClient(await load_configuration())
        try:
            await scene(HttpApi(client, lambda *call: self.seen.append(call)))
        finally:
            await client.close()  # type: ignore[no-untyped-call]
        assert self.seen
        assert all(status >= 200 for *_, status in self.seen)
