"""What the command line takes, and what TAB proposes."""

from __future__ import annotations

import pytest

from fakes.kubecluster import FakeCluster, room
from voiceroom_kubectl import arguments
from voiceroom_kubectl.cluster import Cluster, ClusterError
from voiceroom_kubectl.commands import COMMANDS
from voiceroom_kubectl.completion import proposals

LABELS = ("--pod-selector", "a=b")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["token"], "ROOM"),
        (["token", "Lobby"], "'Lobby'"),
        (["token", "lobby", "--role", "king"], "--role: invalid choice: 'king'"),
        (["token", "lobby", "--ttl", "soon"], "--ttl: 'soon' is not a duration"),
        (["token", "lobby", "--ttl", "9000h"], "--ttl: 9000h must be from 1s to 8760h"),
        (["rooms", "-o", "xml"], "-o/--output: invalid choice: 'xml'"),
        (["pause", "lobby"], "--reason"),
        (["pause", "lobby", "--reason", ""], "--reason: must be 1 to 256 characters"),
        (["top", "--seconds", "0"], "--seconds: '0' must be a whole number from 1 to 60"),
        (["join", "lobby", "--port", "70000"], "--port: '70000' must be a whole number"),
        (["rooms", "-n", "no_label"], "-n/--namespace: 'no_label'"),
        (["chaos", "step"], "--pod-selector"),
        (["chaos", "step", "--pod-selector", ""], "--pod-selector: must name labels"),
        (["chaos", "quake", *LABELS], "FAULT: invalid choice: 'quake'"),
        (["chaos", "throttle", *LABELS, "--percent", "100"], "--percent: '100' must be a whole"),
        (["chaos", "throttle", *LABELS, "--strength", "5"], "--strength: throttle takes --percent"),
        (["chaos", "netem", *LABELS, "--strength", "5ms"], "--strength: netem takes --delay,"),
        (
            ["chaos", "netem", *LABELS, "--jitter", "60ms"],
            "--jitter: must be at most --delay, 50ms",
        ),
        (
            ["chaos", "netem", *LABELS, "--loss", "51%"],
            "--loss: '51%' must be a number from 0 to 50",
        ),
        (["chaos", "netem", *LABELS, "--loss", "nan"], "--loss: 'nan' must be a number"),
        (["chaos", "netem", *LABELS, "--delay", "0"], "--delay: must not be 0 where --loss is 0"),
        (
            ["chaos", "netem", *LABELS, "--delay", "2s"],
            "--delay: '2s' must be a whole number from 0",
        ),
        (["chaos", "netem", *LABELS, "--drill", "--for", "5s"], "--drill: takes --for of at least"),
        (["chaos", "step", *LABELS, "--for", "11m"], "--for: 11m must be from 1s to 10m"),
        (["chaos", "rate", *LABELS, "--strength", "50ms"], "'50ms' must be a whole number of ppm"),
        (["chaos", "step", *LABELS, "--strength", "much"], "'much' must be a whole number of ms"),
        (["chaos", "step", *LABELS, "--drill", "--for", "5s"], "--drill: takes --for of at least"),
        (["chaos", "show", *LABELS, "--drill"], "--drill: there is nothing to inject"),
    ],
)
def test_a_wrong_command_line_is_named_in_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments.parse(words)
    assert ended.value.code == 2
    first, second = capsys.readouterr().err.splitlines()
    assert said in first
    assert second.startswith("Try: kubectl voiceroom")


def test_every_command_is_carried_out() -> None:
    assert set(proposals([""], _nobody)) == set(COMMANDS)


def _nobody(_kubeconfig: str | None, _context: str | None) -> Cluster:
    raise ClusterError("no cluster is known")


def _somebody(_kubeconfig: str | None, context: str | None) -> Cluster:
    if context == "stage":
        return FakeCluster().add(room("rehearsal"))
    return FakeCluster().add(room("lobby"), room("loft"), room("attic"), room("studio", "music"))


@pytest.mark.parametrize(
    ("words", "proposed"),
    [
        (["de"], ["describe"]),
        (["describe", ""], ["attic", "lobby", "loft"]),
        (["describe", "lo"], ["lobby", "loft"]),
        (["-n", "music", "describe", ""], ["studio"]),
        (["describe", "-n", "music", ""], ["studio"]),
        (["describe", "--namespace=music", ""], ["studio"]),
        (["describe", "--context", "stage", ""], ["rehearsal"]),
        (["token", "lobby", "--role", "m"], ["moderator"]),
        (["token", "lobby", "--r"], ["--role"]),
        (["rooms", "-o", ""], ["json", "table", "yaml"]),
        (["diagnose", "lo"], ["lobby", "loft"]),
        (["move", "lobby", "--w"], ["--wait", "--why"]),
        (["rooms", ""], []),
        (["chaos", "s"], ["saw", "show", "step"]),
        (["chaos", "--clock", ""], ["all", "boottime", "monotonic", "raw"]),
        (["chaos", "step", ""], []),
    ],
)
def test_tab_proposes_what_fits(words: list[str], proposed: list[str]) -> None:
    assert proposals(words, _somebody) == proposed


def test_tab_without_a_cluster_proposes_no_rooms() -> None:
    assert proposals(["describe", ""], _nobody) == []
