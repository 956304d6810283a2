"""The API server in memory does what the real one does (tests/cluster/api has that one)."""

from contract.apisuite import ApiSuite, Scene
from fakes.apiserver import FakeApi
from fakes.looptime import run


class TestFakeApi(ApiSuite):
    """The suite, in memory."""

    def play(self, scene: Scene) -> None:
        async def played() -> None:
            await scene(FakeApi(lambda: 1_800_000_000.0))

        run(played())
