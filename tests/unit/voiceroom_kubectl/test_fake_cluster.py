"""The cluster of these tests does what the real one does."""

import pytest

from contract.kubectl_cluster import ClusterSuite
from fakes.kubecluster import FakeCluster


class TestFakeCluster(ClusterSuite):
    """The suite, in memory."""

    @pytest.fixture
    def cluster(self) -> FakeCluster:
        """Empty."""
        return FakeCluster()
