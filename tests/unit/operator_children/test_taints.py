"""The taint of nodes that do not keep time."""

from __future__ import annotations

from typing import Any

from voiceroom_operator.children.taints import BY_ANNOTATION, TAINT, owners, taint_patch

OTHER = {"key": "dedicated", "value": "voice", "effect": "NoSchedule"}


def node(*taints: dict[str, str], by: str = "") -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "n", "uid": "u", "resourceVersion": "7"}
    if by:
        metadata["annotations"] = {BY_ANNOTATION: by}
    return {"metadata": metadata, "spec": {"taints": list(taints)}}


def patched(body: dict[str, Any], owner: str, *, wanted: bool) -> dict[str, Any]:
    patch = taint_patch(body, owner, wanted=wanted)
    assert patch is not None
    assert (patch["metadata"]["uid"], patch["metadata"]["resourceVersion"]) == ("u", "7")
    by = patch["metadata"]["annotations"][BY_ANNOTATION]
    return node(*patch["spec"]["taints"], by=by or "")


def test_it_is_set_beside_others_and_taken_away_alone() -> None:
    tainted = patched(node(OTHER), "voice/a", wanted=True)
    assert tainted["spec"]["taints"] == [OTHER, TAINT]
    assert owners(tainted) == {"voice/a"}
    assert taint_patch(tainted, "voice/a", wanted=True) is None
    assert patched(tainted, "voice/a", wanted=False) == node(OTHER)


def test_it_stays_as_long_as_one_pool_wants_it() -> None:
    both = patched(patched(node(), "voice/a", wanted=True), "voice/b", wanted=True)
    assert owners(both) == {"voice/a", "voice/b"}
    one = patched(both, "voice/a", wanted=False)
    assert one["spec"]["taints"] == [TAINT]
    assert patched(one, "voice/b", wanted=False)["spec"]["taints"] == []


def test_what_somebody_else_has_set_is_left_alone() -> None:
    assert taint_patch(node(TAINT), "voice/a", wanted=True) is None
    assert taint_patch(node(TAINT), "voice/a", wanted=False) is None


def test_a_taint_that_a_person_took_away_is_set_again() -> None:
    assert patched(node(by="voice/a"), "voice/a", wanted=True)["spec"]["taints"] == [TAINT]


def test_a_node_that_nobody_wants_tainted_needs_nothing() -> None:
    assert taint_patch(node(OTHER), "voice/a", wanted=False) is None
