"""rtnetlink of this machine's kernel, in a network namespace of its own; takes root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from voiceroom_chaosdoor.network import NetlinkLinks, Networks
from voiceroom_chaosdoor.rtnetlink import HANDLE, Shape
from voiceroom_chaosdoor.shaping import Unsupported

SET_UP = "ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set lo up"


@pytest.fixture
def pid() -> Iterator[int]:
    """A process in a network with a link that is up."""
    if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("tc")):
        pytest.skip("takes root, unshare and tc")
    command = ["unshare", "--net", "sh", "-c", f"{SET_UP} && echo up && exec cat"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if process.stdout.readline() != b"up\n":
                pytest.skip("no network namespace with a link can be made here")
            yield process.pid
        finally:
            process.kill()


def opened(pid: int) -> NetlinkLinks:
    found = Networks(node_pid=os.getpid()).of(pid)
    assert found is not None
    return found


def tc(pid: int, *words: str) -> str:
    command = ["nsenter", f"--net=/proc/{pid}/ns/net", "tc", "qdisc", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_links_and_their_queues_are_seen(pid: int) -> None:
    with opened(pid) as links:
        found = {link.name: link for link in links.interfaces()}
        assert found["v0"].carries
        assert not found["lo"].carries
        assert not found["v1"].carries
        assert links.roots().get(found["v0"].index, 0) == 0
        tc(pid, "add", "dev", "v0", "root", "handle", "8001:", "tbf", *TBF)
        assert links.roots()[found["v0"].index] == 0x8001_0000


TBF = ("rate", "1mbit", "burst", "10k", "latency", "10ms")


def test_a_queue_of_ours_is_taken_away_and_the_kernels_own_is_back(pid: int) -> None:
    with opened(pid) as links:
        index = next(link.index for link in links.interfaces() if link.name == "v0")
        tc(pid, "add", "dev", "v0", "root", "handle", f"{HANDLE >> 16:x}:", "tbf", *TBF)
        assert links.roots()[index] == HANDLE
        links.remove(index)
        assert links.roots().get(index, 0) == 0
        with pytest.raises(OSError, match="netlink"):
            links.remove(index)


def test_a_netem_queue_is_set_or_the_kernel_is_said_to_have_none(pid: int) -> None:
    with opened(pid) as links:
        index = next(link.index for link in links.interfaces() if link.name == "v0")
        try:
            links.add(index, Shape(50, 10, 2.0))
        except Unsupported:
            assert links.roots().get(index, 0) == 0
            pytest.skip("this machine's kernel has no netem")
        shown = tc(pid, "show", "dev", "v0")
        assert "netem 7ec0: root" in shown
        assert "delay 50ms  10ms loss 2%" in shown
        links.remove(index)
        assert links.roots().get(index, 0) == 0


def test_the_nodes_own_network_is_not_entered(pid: int) -> None:
    node = Networks(node_pid=os.getpid())
    assert node.of(os.getppid()) is None
    with opened(pid) as links:
        assert {link.name for link in links.interfaces()} >= {"v0", "v1"}


def test_a_process_that_has_ended_has_none() -> None:
    assert Networks(node_pid=os.getpid()).of(1 << 30) is None


def test_a_first_process_that_may_not_be_looked_at_does_not_matter(
    pid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("voiceroom_chaosdoor.network.os.stat", refused)
    found = Networks(node_pid=os.getpid()).of(pid)
    assert found is not None
    with found:
        assert {link.name for link in found.interfaces()} >= {"v0", "v1"}
