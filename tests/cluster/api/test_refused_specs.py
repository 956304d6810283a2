"""Specs that people get wrong, and hostile ones: what an API server makes people read."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from fakes.refusedspecs import RefusedSpec, refused_specs
from localcluster.controlplane import ControlPlane
from localcluster.failure import ClusterError

CONSEQUENCE = "<nil>: Invalid value: null: some validation rules were not checked"
"""What the API server adds to some errors of a schema."""
pytestmark = pytest.mark.timeout(120)


def complaints(said: str) -> list[str]:
    """Each thing that is wrong, out of what kubectl printed."""
    if "strict decoding error" in said:
        return [said[said.index("strict decoding error") :]]
    _, _, list_ = said.partition(" is invalid: ")
    lines = [line.removeprefix("* ").strip() for line in list_.strip().splitlines()]
    return [line for line in lines if not line.startswith(CONSEQUENCE)]


def applied(plane: ControlPlane, text: str) -> str:
    return plane.kubectl("apply", "-f", "-", stdin=text)


@pytest.mark.parametrize("bad", refused_specs("VoiceRoom", "MixerPool"), ids=str)
def test_a_bad_spec_is_refused_in_these_words(plane: ControlPlane, bad: RefusedSpec) -> None:
    with pytest.raises(ClusterError) as caught:
        applied(plane, bad.text)
    assert complaints(str(caught.value)) == list(bad.api)


def test_nothing_of_them_was_taken(plane: ControlPlane) -> None:
    assert plane.kubectl("get", "vr,mxp", "-A", "-o", "name") == ""


def room(**spec: Any) -> str:
    head = {"apiVersion": "voiceroom.dev/v1alpha1", "kind": "VoiceRoom"}
    return yaml.safe_dump(head | {"metadata": {"name": "lobby"}, "spec": spec})


def test_the_frame_changes_only_while_nobody_is_in(plane: ControlPlane) -> None:
    applied(plane, room(audio={"frameMs": 20}))
    applied(plane, room(audio={"frameMs": 10}))
    status = '{"status": {"participants": 2}}'
    plane.kubectl("patch", "vr", "lobby", "--subresource=status", "--type=merge", "-p", status)
    with pytest.raises(
        ClusterError, match=r"spec\.audio\.frameMs cannot change while people are in the room"
    ):
        applied(plane, room(audio={"frameMs": 40}))
    applied(plane, room(audio={"frameMs": 10, "talkers": 5}))
    plane.kubectl("delete", "vr", "lobby")


def test_a_status_that_no_operator_writes_is_refused(plane: ControlPlane) -> None:
    applied(plane, room())
    for status in ('{"phase": "Happy"}', '{"epoch": -1}', '{"podName": 7}'):
        with pytest.raises(ClusterError, match=r"status\."):
            plane.kubectl(
                "patch", "vr", "lobby", "--subresource=status", "--type=merge",
                "-p", f'{{"status": {status}}}',
            )  # fmt: skip
    plane.kubectl("delete", "vr", "lobby")


def test_who_may_only_write_specs_writes_no_status(plane: ControlPlane) -> None:
    """A spec and a status in one document: the status is left out."""
    text = room() + "status: {podName: mine, epoch: 99}\n"
    applied(plane, text)
    assert plane.kubectl("get", "vr", "lobby", "-o", "jsonpath={.status}") == ""
    plane.kubectl("delete", "vr", "lobby")


@pytest.mark.parametrize("short", ["vr", "mxp"])
def test_kubectl_explains_every_field(plane: ControlPlane, short: str) -> None:
    tree = plane.kubectl("explain", f"{short}.spec", "--recursive")
    fields = re.findall(r"^((?:  )+)(\w+)\t<", tree, re.MULTILINE)
    assert len(fields) >= (19 if short == "vr" else 100)
    path: list[str] = []
    top = set()
    for indent, name in fields:
        path[len(indent) // 2 - 1 :] = [name]
        top.add(path[0])
    for name in top:
        said = plane.kubectl("explain", f"{short}.spec.{name}")
        assert re.search(r"DESCRIPTION:\n    \S", said), name
        assert "<empty>" not in said


def test_lists_show_what_to_know(plane: ControlPlane) -> None:
    applied(plane, room())
    pool = "apiVersion: voiceroom.dev/v1alpha1\nkind: MixerPool\nmetadata: {name: gold}\n"
    applied(plane, pool)
    short = plane.kubectl("get", "vr").splitlines()[0].split()
    assert short == ["NAME", "PHASE", "PARTICIPANTS", "POD", "NODE", "P99MS", "AGE"]
    wide = plane.kubectl("get", "vr", "-o", "wide").splitlines()[0].split()
    assert set(wide) - set(short) == {"POOL", "TIMING", "REASON", "URL"}
    columns = plane.kubectl("get", "mxp").splitlines()[0].split()
    assert columns[:5] == ["NAME", "MODE", "GRANTED", "READY", "DESIRED"]
    assert "lobby" in plane.kubectl("get", "voice")
    assert "gold" in plane.kubectl("get", "voice")
    assert "lobby" in plane.kubectl("get", "vr", "--field-selector=spec.poolName=default")
    assert "gold" in plane.kubectl("get", "mxp", "--field-selector=spec.realtime.mode=Quota")
    plane.kubectl("scale", "mxp/gold", "--replicas=3")
    assert plane.kubectl("get", "mxp", "gold", "-o", "jsonpath={.spec.size.min}") == "3"
    plane.kubectl("delete", "vr,mxp", "--all")
