"""What every cluster does for the commands of ``kubectl voiceroom``: the one of the tests and the
real one pass the same suite. A class that inherits from it gives the fixture ``cluster``, empty of
rooms in the namespaces ``ana`` and ``bob``."""

from __future__ import annotations

import pytest

from voiceroom_kubectl.cluster import Cluster, ClusterError, NotFound

PAUSED = {"spec": {"remediation": {"paused": {"reason": "a concert"}}}}


class ClusterSuite:
    """The tests."""

    def test_a_room_that_was_made_is_there_until_it_is_deleted(self, cluster: Cluster) -> None:
        cluster.create_room("ana", "lobby")
        found = cluster.room("ana", "lobby")
        assert (found["metadata"]["name"], found["metadata"]["namespace"]) == ("lobby", "ana")
        assert found["metadata"]["uid"]
        assert found["kind"] == "VoiceRoom"
        cluster.delete_room("ana", "lobby")
        with pytest.raises(NotFound, match='"lobby" not found'):
            cluster.room("ana", "lobby")

    def test_rooms_come_by_namespace_and_name(self, cluster: Cluster) -> None:
        for namespace, name in (("bob", "attic"), ("ana", "zoo"), ("ana", "lobby")):
            cluster.create_room(namespace, name)
        names = [
            (one["metadata"]["namespace"], one["metadata"]["name"]) for one in cluster.rooms(None)
        ]
        assert names == [("ana", "lobby"), ("ana", "zoo"), ("bob", "attic")]
        assert [one["metadata"]["name"] for one in cluster.rooms("ana")] == ["lobby", "zoo"]
        assert cluster.rooms("nobodys") == []

    def test_where_no_doors_are_on_nodes_none_are_found(self, cluster: Cluster) -> None:
        assert cluster.node_doors("ana") == []

    def test_a_patch_merges_and_null_takes_away(self, cluster: Cluster) -> None:
        cluster.create_room("ana", "lobby")
        changed = cluster.patch_room("ana", "lobby", PAUSED)
        assert changed["spec"]["remediation"]["paused"] == {"reason": "a concert"}
        gone = {"spec": {"remediation": {"paused": None}}}
        assert "paused" not in cluster.patch_room("ana", "lobby", gone)["spec"]["remediation"]
        assert cluster.room("ana", "lobby")["spec"]["remediation"] == {}

    def test_what_is_not_there_is_not_found(self, cluster: Cluster) -> None:
        with pytest.raises(NotFound):
            cluster.patch_room("ana", "lobby", PAUSED)
        with pytest.raises(NotFound):
            cluster.delete_room("ana", "lobby")
        with pytest.raises(NotFound):
            cluster.patch_pool("ana", "gold", {"metadata": {"annotations": {"a": "b"}}})
        with pytest.raises(NotFound, match='secrets "voiceroom-default" not found'):
            cluster.secret("ana", "voiceroom-default", "keys.json")

    def test_a_room_is_made_once(self, cluster: Cluster) -> None:
        cluster.create_room("ana", "lobby")
        with pytest.raises(ClusterError, match="already exists") as refused:
            cluster.create_room("ana", "lobby")
        assert not isinstance(refused.value, NotFound)

    def test_what_nobody_made_is_an_empty_list(self, cluster: Cluster) -> None:
        assert cluster.pools("ana") == []
        assert cluster.mixers("ana") == []
        assert cluster.mixers("ana", "voiceroom.dev/pool=default") == []
        assert cluster.events("ana", "no-such-uid") == []

    def test_a_pod_that_is_not_there_says_so(self, cluster: Cluster) -> None:
        with pytest.raises(ClusterError):
            cluster.pod_text("ana", "voiceroom-default-0", 9464, "/metrics")
        with pytest.raises(ClusterError):
            cluster.connect("ana", "voiceroom-default-0", 8080)
        assert cluster.usage("ana", "voiceroom-default-0", "node-1") is None
