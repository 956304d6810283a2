import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from voiceroom_mixer.config import (
    CONFIG_FD_ENV,
    ConfigError,
    Endpoint,
    IceServer,
    Limits,
    RoomEntry,
    RunConfig,
    TlsFiles,
    hand_over,
    load,
)

CONFIG = RunConfig(
    rooms=(RoomEntry(name="lobby", spec={"audio": {"frameMs": 20}}, pinHash=""),),
    http=Endpoint("127.0.0.1", 8080),
    udp=Endpoint("::", 7882),
    admin=None,
    metrics=Endpoint("::1", 9464),
    advertise=("192.0.2.1",),
    keys="/k",
    tls=TlsFiles("/c", "/k"),
    trusted_proxies=("10.0.0.0/8",),
    rtp_allow=("127.0.0.0/8",),
    ice_servers=(IceServer("stun:stun.example"),),
    drain_deadline_s=600,
    media_processes=2,
    log_format="json",
    limits=Limits(),
)
NO_FD = "99999"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(CONFIG_FD_ENV, "")
    yield
    number = os.environ[CONFIG_FD_ENV]
    if number.isdigit() and number != NO_FD:
        os.close(int(number))


@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, tls=None, rooms=(), metrics=None)])
def test_json_and_back(config: RunConfig) -> None:
    assert RunConfig.from_json(config.to_json()) == config


def test_every_process_of_a_run_reads_the_same() -> None:
    fd = hand_over(CONFIG)
    assert os.get_inheritable(fd)
    assert load() == load() == CONFIG


def test_the_json_is_plain_for_the_keeper() -> None:
    value = json.loads(CONFIG.to_json())
    assert value["http"] == {"host": "127.0.0.1", "port": 8080}
    assert value["admin"] is None
    assert value["media_processes"] == 2


def test_without_a_hand_over() -> None:
    with pytest.raises(ConfigError, match="start the mixer with voiceroom-mixer run"):
        load()


def test_with_a_descriptor_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONFIG_FD_ENV, NO_FD)
    with pytest.raises(ConfigError, match="cannot be read"):
        load()


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"http": None}, {"more": 1}, {"rooms": 5}, {"http": {"port": 1}}]
)
def test_refuses_another_version_or_shape(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        RunConfig.from_json(json.dumps(json.loads(CONFIG.to_json()) | change))


@pytest.mark.parametrize("text", ["", "[]", "7", "null"])
def test_refuses_what_is_no_configuration(text: str) -> None:
    with pytest.raises(ConfigError):
        RunConfig.from_json(text)


def test_endpoints_are_written_as_in_a_url() -> None:
    assert str(CONFIG.http) == "127.0.0.1:8080"
    assert str(CONFIG.udp) == "[::]:7882"


def test_a_room_by_name() -> None:
    assert CONFIG.room("lobby") == CONFIG.rooms[0]
    assert CONFIG.room("attic") is None
