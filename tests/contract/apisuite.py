"""What the operator relies on in an API server; the one in memory and the real one both pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from voiceroom_api import names
from voiceroom_operator.cluster.api import Api, ApiError, Body
from voiceroom_operator.cluster.kinds import PODS, POOLS, ROOMS, SECRETS, Kind

NAMESPACE = "apisuite"
Scene = Callable[[Api], Awaitable[None]]


def body(kind: Kind, name: str, **parts: Any) -> dict[str, Any]:
    head = {"apiVersion": kind.api_version, "kind": kind.kind}
    metadata = {"name": name, "namespace": NAMESPACE} | parts.pop("metadata", {})
    return head | {"metadata": metadata} | parts


def at(found: Body) -> dict[str, Any]:
    """The preconditions that the operator sends."""
    metadata = found["metadata"]
    return {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion")}


async def refused(call: Awaitable[Any]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


async def gone(api: Api, kind: Kind, name: str) -> None:
    """Away with it, if it is there."""
    try:
        found = await api.get(kind, NAMESPACE, name)
    except ApiError:
        return
    metadata = found["metadata"]
    await api.delete(
        kind, NAMESPACE, name, uid=metadata["uid"], resource_version=metadata["resourceVersion"]
    )


def pod(name: str, requests: str) -> dict[str, Any]:
    """Of 700m CPU; nothing runs it."""
    resources = {
        "limits": {"cpu": "700m", "memory": "64Mi"},
        "requests": {"cpu": requests, "memory": "64Mi"},
    }
    mixer = {"name": "mixer", "image": "registry.example.org/nothing:1", "resources": resources}
    spec = {"containers": [mixer], "terminationGracePeriodSeconds": 0}
    labels = {"app.kubernetes.io/component": "mixer"}
    return body(PODS, name, spec=spec, metadata={"labels": labels})


def resized(seen: Body, **resources: Any) -> dict[str, Any]:
    """As the operator sends it."""
    metadata = {key: seen["metadata"][key] for key in ("name", "namespace", "uid")}
    containers = [{"name": "mixer", "resources": resources}]
    return {"metadata": metadata, "spec": {"containers": containers}}


class ApiSuite:
    """Subclasses say how a scene is played."""

    def play(self, scene: Scene) -> None:
        raise NotImplementedError

    def test_what_is_not_there_is_missing(self) -> None:
        async def scene(api: Api) -> None:
            assert (await refused(api.get(ROOMS, NAMESPACE, "nobody"))).is_missing
            merged = api.merge(ROOMS, NAMESPACE, "nobody", {"metadata": {"labels": {"a": "b"}}})
            assert (await refused(merged)).is_missing
            status = body(ROOMS, "nobody", status={"phase": "Ready"})
            applied = api.apply(ROOMS, NAMESPACE, "nobody", status, "status")
            assert (await refused(applied)).is_missing

        self.play(scene)

    def test_a_name_that_is_taken_exists(self) -> None:
        async def scene(api: Api) -> None:
            made = await api.create(ROOMS, NAMESPACE, body(ROOMS, "once", spec={}))
            assert made["metadata"]["uid"]
            error = await refused(api.create(ROOMS, NAMESPACE, body(ROOMS, "once", spec={})))
            assert error.exists
            assert not error.is_stale
            assert not error.is_refusal
            await gone(api, ROOMS, "once")

        self.play(scene)

    def test_a_write_over_a_newer_version_is_stale(self) -> None:
        async def scene(api: Api) -> None:
            old = await api.create(ROOMS, NAMESPACE, body(ROOMS, "stale", spec={}))
            label = {"metadata": {"labels": {"a": "b"}}}
            await api.merge(ROOMS, NAMESPACE, "stale", label)
            late = {"metadata": at(old) | {"labels": {"a": "c"}}}
            assert (await refused(api.merge(ROOMS, NAMESPACE, "stale", late))).is_stale
            status = {"metadata": at(old), "status": {"phase": "Ready"}}
            applied = api.apply(ROOMS, NAMESPACE, "stale", status, "status")
            assert (await refused(applied)).is_stale
            found = await api.get(ROOMS, NAMESPACE, "stale")
            assert found["metadata"]["labels"] == {"a": "b"}
            await gone(api, ROOMS, "stale")

        self.play(scene)

    def test_a_write_to_the_next_object_of_the_name_is_stale(self) -> None:
        async def scene(api: Api) -> None:
            first = await api.create(SECRETS, NAMESPACE, body(SECRETS, "twice"))
            await gone(api, SECRETS, "twice")
            second = await api.create(SECRETS, NAMESPACE, body(SECRETS, "twice"))
            uid = first["metadata"]["uid"]
            late = {"metadata": {"uid": uid, "labels": {"a": "b"}}}
            assert (await refused(api.merge(SECRETS, NAMESPACE, "twice", late))).is_stale
            version = second["metadata"]["resourceVersion"]
            deleted = api.delete(SECRETS, NAMESPACE, "twice", uid=uid, resource_version=version)
            assert (await refused(deleted)).is_stale
            await gone(api, SECRETS, "twice")

        self.play(scene)

    def test_a_deletion_of_an_older_version_is_stale(self) -> None:
        async def scene(api: Api) -> None:
            old = (await api.create(SECRETS, NAMESPACE, body(SECRETS, "older")))["metadata"]
            label = {"metadata": {"labels": {"a": "b"}}}
            await api.merge(SECRETS, NAMESPACE, "older", label)
            deleted = api.delete(
                SECRETS,
                NAMESPACE,
                "older",
                uid=old["uid"],
                resource_version=old["resourceVersion"],
            )
            assert (await refused(deleted)).is_stale
            await gone(api, SECRETS, "older")
            assert (await refused(api.get(SECRETS, NAMESPACE, "older"))).is_missing

        self.play(scene)

    def test_null_takes_a_key_away(self) -> None:
        async def scene(api: Api) -> None:
            marks = {"annotations": {"a": "1", "b": "2"}}
            await api.create(SECRETS, NAMESPACE, body(SECRETS, "marks", metadata=marks))
            patch = {"metadata": {"annotations": {"a": None, "c": "3"}}}
            found = await api.merge(SECRETS, NAMESPACE, "marks", patch)
            assert found["metadata"]["annotations"] == {"b": "2", "c": "3"}
            await gone(api, SECRETS, "marks")

        self.play(scene)

    def test_a_status_is_applied_whole_and_the_spec_is_left_alone(self) -> None:
        async def scene(api: Api) -> None:
            made = await api.create(ROOMS, NAMESPACE, body(ROOMS, "status", spec={"locked": True}))
            both = {"phase": "Ready", "podName": "voiceroom-default-0", "epoch": 1}
            sent = {"metadata": at(made), "status": both}
            first = await api.apply(ROOMS, NAMESPACE, "status", sent, "status")
            assert first["status"] == both
            sent = {"metadata": at(first), "status": {"phase": "Pending", "epoch": 1}}
            second = await api.apply(ROOMS, NAMESPACE, "status", sent, "status")
            assert second["status"] == {"phase": "Pending", "epoch": 1}
            assert second["spec"]["locked"] is True
            assert second["metadata"]["generation"] == made["metadata"]["generation"]
            await gone(api, ROOMS, "status")

        self.play(scene)

    def test_the_same_again_makes_no_new_version(self) -> None:
        async def scene(api: Api) -> None:
            await api.create(ROOMS, NAMESPACE, body(ROOMS, "same", spec={}))
            status = body(ROOMS, "same", status={"phase": "Ready"})
            first = await api.apply(ROOMS, NAMESPACE, "same", status, "status")
            again = await api.apply(ROOMS, NAMESPACE, "same", status, "status")
            assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
            await gone(api, ROOMS, "same")

        self.play(scene)

    def test_the_cpu_of_a_pod_is_raised_in_place(self) -> None:
        async def scene(api: Api) -> None:
            made = await api.create(PODS, NAMESPACE, pod("raised", requests="300m"))
            sent = resized(made, limits={"cpu": "1400m"})
            changed = await api.apply(PODS, NAMESPACE, "raised", sent, "resize")
            (container,) = changed["spec"]["containers"]
            assert container["resources"]["limits"] == {"cpu": "1400m", "memory": "64Mi"}
            assert container["resources"]["requests"] == {"cpu": "300m", "memory": "64Mi"}
            assert container["image"] == "registry.example.org/nothing:1"
            assert changed["metadata"]["uid"] == made["metadata"]["uid"]
            await gone(api, PODS, "raised")

        self.play(scene)

    def test_a_guaranteed_pod_stays_one(self) -> None:
        async def scene(api: Api) -> None:
            made = await api.create(PODS, NAMESPACE, pod("whole", requests="700m"))
            limit = resized(made, limits={"cpu": "1400m"})
            assert (await refused(api.apply(PODS, NAMESPACE, "whole", limit, "resize"))).is_refusal
            both = resized(made, limits={"cpu": "1400m"}, requests={"cpu": "1400m"})
            changed = await api.apply(PODS, NAMESPACE, "whole", both, "resize")
            (container,) = changed["spec"]["containers"]
            assert container["resources"]["limits"] == container["resources"]["requests"]
            assert container["resources"]["limits"]["cpu"] == "1400m"
            await gone(api, PODS, "whole")

        self.play(scene)

    def test_the_cpu_of_another_pod_of_the_name_is_left_alone(self) -> None:
        async def scene(api: Api) -> None:
            made = await api.create(PODS, NAMESPACE, pod("next", requests="300m"))
            late = resized(made, limits={"cpu": "1400m"})
            await gone(api, PODS, "next")
            assert (await refused(api.apply(PODS, NAMESPACE, "next", late, "resize"))).is_missing
            await api.create(PODS, NAMESPACE, pod("next", requests="300m"))
            assert (await refused(api.apply(PODS, NAMESPACE, "next", late, "resize"))).is_stale
            await gone(api, PODS, "next")

        self.play(scene)

    def test_a_new_spec_is_a_new_generation(self) -> None:
        async def scene(api: Api) -> None:
            made = await api.create(ROOMS, NAMESPACE, body(ROOMS, "spec", spec={}))
            assert made["metadata"]["generation"] == 1
            found = await api.merge(ROOMS, NAMESPACE, "spec", {"spec": {"locked": True}})
            assert found["metadata"]["generation"] == 2
            await gone(api, ROOMS, "spec")

        self.play(scene)

    def test_a_finalizer_keeps_an_object_until_it_is_released(self) -> None:
        async def scene(api: Api) -> None:
            marks = {"finalizers": [names.POOL_FINALIZER]}
            await api.create(POOLS, NAMESPACE, body(POOLS, "held", metadata=marks, spec={}))
            await gone(api, POOLS, "held")
            found = await api.get(POOLS, NAMESPACE, "held")
            assert found["metadata"]["deletionTimestamp"]
            patch = {"metadata": at(found) | {"finalizers": []}}
            await api.merge(POOLS, NAMESPACE, "held", patch)
            assert (await refused(api.get(POOLS, NAMESPACE, "held"))).is_missing

        self.play(scene)

    def test_lists_tell_versions_and_may_leave_out_the_rest(self) -> None:
        async def scene(api: Api) -> None:
            await api.create(ROOMS, NAMESPACE, body(ROOMS, "listed", spec={"locked": True}))
            found = await listed(api, metadata_only=False)
            assert found["spec"]["locked"] is True
            slim = await listed(api, metadata_only=True)
            assert slim["metadata"]["uid"] == found["metadata"]["uid"]
            assert "spec" not in slim
            assert (await api.list(ROOMS, "")).resource_version
            await gone(api, ROOMS, "listed")

        async def listed(api: Api, *, metadata_only: bool) -> Body:
            # an API server's cache may be behind for a moment
            while True:
                listing = await api.list(ROOMS, NAMESPACE, metadata_only=metadata_only)
                for item in listing.items:
                    if item["metadata"]["name"] == "listed":
                        return item

        self.play(scene)
