"""``voiceroom-mixer pod``: exactly what the operator starts it with, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from voiceroom_api import fields
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_mixer.cli.arguments import parse
from voiceroom_mixer.cli.pod import configure
from voiceroom_mixer.config import Endpoint, RealtimeAsk, RunConfig
from voiceroom_operator.children.arguments import arguments, environment
from voiceroom_operator.children.listeners import Listeners

ENV = {"POD_NAME": "voiceroom-default-1", "POD_NAMESPACE": "voice", "POOL_NAME": "default"}
PORTS = Listeners(http=8080, admin=8443, metrics=9464, udp=20480)


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """A mounted Secret."""
    folder = tmp_path / "pool"
    folder.mkdir()
    for name in ("keys.json", "ca.crt", "tls.crt", "tls.key"):
        (folder / name).write_text("")
    (tmp_path / "state").mkdir()
    return folder


def started(pool: Path, **spec: object) -> RunConfig:
    """As the operator starts a pod of that spec."""
    read = fields.read(MixerPoolSpec, spec, "spec", [])
    assert read is not None
    args = arguments(read, PORTS, str(pool), str(pool.parent / "state"))
    return configure(parse(args), ENV)


def refusal(
    capsys: pytest.CaptureFixture[str],
    pool: Path,
    *options: str,
    environ: Mapping[str, str] = ENV,
) -> str:
    folders = ["--pool-dir", str(pool), "--state-dir", str(pool.parent / "state")]
    with pytest.raises(SystemExit) as caught:
        configure(parse(["pod", *folders, *options]), environ)
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_what_the_operator_says_is_understood(pool: Path) -> None:
    found = started(pool)
    assert found.http == Endpoint("0.0.0.0", 8080)
    assert found.admin == Endpoint("0.0.0.0", 8443)
    assert found.metrics == Endpoint("0.0.0.0", 9464)
    assert found.udp == Endpoint("0.0.0.0", 20480)
    assert (found.rooms, found.drain_deadline_s, found.log_format) == ((), 600, "json")
    assert found.keys == str(pool / "keys.json")
    assert found.realtime == RealtimeAsk("Quota")
    assert found.pod is not None
    assert found.pod.tls_name == "mixer.default.voice"
    assert RunConfig.from_json(found.to_json()) == found, "every process of the pod reads the same"


def test_faults_on_order_are_off_unless_the_operator_switches_them_on(pool: Path) -> None:
    assert not started(pool).chaos
    folders = str(pool), str(pool.parent / "state")
    found = configure(parse(arguments(MixerPoolSpec(), PORTS, *folders, chaos=True)), ENV)
    assert found.chaos
    assert RunConfig.from_json(found.to_json()) == found


def test_every_start_of_the_container_has_an_id_of_its_own(pool: Path) -> None:
    first, second = started(pool).pod, started(pool).pod
    assert first is not None
    assert second is not None
    assert first.boot_id != second.boot_id


def test_real_time_as_the_pool_wants_it(pool: Path) -> None:
    fifo = started(
        pool,
        realtime={"mode": "Fifo", "priority": 42, "required": True},
        resources={"limits": {"cpu": "3"}},
        mediaProcesses=2,
        drain={"deadline": "0s"},
        network={"rtpAllowCIDRs": ["10.0.0.0/8"]},
    )
    assert fifo.realtime == RealtimeAsk("Fifo", 42, required=True, cpus=3)
    assert (fifo.media_processes, fifo.drain_deadline_s) == (2, 0)
    assert fifo.rtp_allow == ("10.0.0.0/8",)


def test_the_pod_is_told_all_that_it_needs(pool: Path) -> None:
    told = {entry["name"] for entry in environment(MixerPoolSpec())}
    assert ENV.keys() <= told


@pytest.mark.parametrize("missing", sorted(ENV))
def test_a_variable_that_is_missing_is_named(
    capsys: pytest.CaptureFixture[str], pool: Path, missing: str
) -> None:
    environ = {name: value for name, value in ENV.items() if name != missing}
    said = refusal(capsys, pool, environ=environ)
    assert missing in said
    assert "fieldPath metadata." in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--realtime", "Quota", "--realtime-priority", "5"], "--realtime-priority"),
        (["--realtime", "Shared", "--realtime-cpus", "5"], "--realtime-cpus"),
        (["--realtime", "Fifo", "--realtime-priority", "99"], "from 1 to 98"),
        (["--realtime", "Soon"], "invalid choice"),
        (["--admin", "0.0.0.0:8080"], "--admin: 0.0.0.0:8080 is --http's"),
        (["--media-processes", "65"], "from 1 to 64"),
        (["--udp", "0.0.0.0:65535", "--media-processes", "2"], "beyond 65535"),
        (["--state-dir", "/nowhere"], "mount an emptyDir"),
        (["--pool-dir", "/nowhere"], "/nowhere/keys.json"),
        (["lobby.yaml"], "unrecognized arguments"),
    ],
)
def test_what_is_wrong_is_said(
    capsys: pytest.CaptureFixture[str], pool: Path, options: list[str], words: str
) -> None:
    assert words in refusal(capsys, pool, *options)
