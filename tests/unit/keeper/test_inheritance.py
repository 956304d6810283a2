"""What the keeper opens, and how its children learn of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from voiceroom_mixer.config import ConfigError, Endpoint, Limits, RunConfig
from voiceroom_mixer.inheritance import (
    FDS_ENV,
    Estate,
    Inherited,
    ListenError,
    MediaFds,
    inherited,
    open_estate,
)

LOOPBACK = Endpoint("127.0.0.1", 0)
CONFIG = RunConfig(
    rooms=(),
    http=LOOPBACK,
    udp=LOOPBACK,
    admin=None,
    metrics=LOOPBACK,
    advertise=(),
    keys="/nowhere",
    tls=None,
    trusted_proxies=(),
    rtp_allow=(),
    ice_servers=(),
    drain_deadline_s=1.0,
    media_processes=2,
    log_format="text",
    limits=Limits(),
)
FDS = Inherited(3, None, 4, 5, (MediaFds(6, 7, 8), MediaFds(9, 10, 11)), 12)


def close(estate: Estate) -> None:
    for end in (estate.http, estate.admin, estate.metrics, estate.keeper, estate.control):
        if end is not None:
            end.close()
    for end in (*estate.udp, *(end for pair in estate.pairs for end in pair)):
        end.close()
    for memory in (*estate.segments, estate.probe):
        os.close(memory)


def fill(sender: socket.socket) -> None:
    for _ in range(100_000):
        sender.send(bytes(2_000))


@pytest.fixture
def estate() -> Iterator[Estate]:
    opened = open_estate(CONFIG)
    yield opened
    close(opened)


def test_descriptors_travel_in_the_environment() -> None:
    assert inherited({FDS_ENV: FDS.to_json()}) == FDS
    assert FDS.numbers() == (3, 4, 5, 12, 6, 7, 8, 9, 10, 11)


@pytest.mark.parametrize("raw", ["", "[]", "{}", '{"media": [{}]}', '{"media": 3}', "null"])
def test_unreadable_descriptors_are_a_configuration_error(raw: str) -> None:
    with pytest.raises(ConfigError, match=FDS_ENV):
        inherited({FDS_ENV: raw})


def test_a_process_started_by_hand_is_told_how() -> None:
    with pytest.raises(ConfigError, match="voiceroom-mixer run"):
        inherited({})


def test_only_control_gets_the_listeners(estate: Estate) -> None:
    control, media = estate.for_control(), estate.for_media()
    assert control.http == estate.http.fileno()
    assert control.admin is None
    assert (media.http, media.metrics, media.keeper) == (None, None, None)


def test_the_clock_probe_writes_what_control_reads_and_gets_no_listener(estate: Estate) -> None:
    probe, control = estate.for_probe(), estate.for_control()
    assert probe.probe == control.probe
    assert (probe.http, probe.metrics, probe.keeper) == (None, None, None)
    assert estate.for_media().probe is None


def test_the_pair_joins_control_and_media(estate: Estate) -> None:
    control, media = estate.for_control(), estate.for_media()
    for index in range(2):
        os.write(control.media[index].pair, b"%d" % index)
        assert os.read(media.media[index].pair, 100) == b"%d" % index
        assert control.media[index].udp == media.media[index].udp
        assert control.media[index].segment == media.media[index].segment


def test_the_pair_keeps_datagrams_apart_and_never_blocks(estate: Estate) -> None:
    sender, receiver = estate.pairs[0]
    sender.send(b"one")
    sender.send(b"two")
    assert receiver.recv(100) == b"one"
    with pytest.raises(BlockingIOError):
        fill(sender)


def test_keeper_and_control_hear_each_other(estate: Estate) -> None:
    estate.keeper.send(b"drain\n")
    assert estate.control.recv(100) == b"drain\n"
    estate.control.send(b"drained\n")
    assert estate.keeper.recv(100) == b"drained\n"


def test_nothing_leaks_into_a_program_started_elsewhere(estate: Estate) -> None:
    assert not any(os.get_inheritable(fd) for fd in estate.for_control().numbers())


def test_udp_sockets_have_room_for_bursts(estate: Estate) -> None:
    for bound in estate.udp:
        assert not bound.getblocking()
        assert bound.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 200_000


def test_a_refused_datagram_comes_back_as_an_error(estate: Estate) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = nobody.getsockname()
    estate.udp[0].sendto(b"x", address)
    with pytest.raises(ConnectionRefusedError):
        estate.udp[0].sendto(b"x", address)


def test_media_process_i_listens_on_port_plus_i() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if port == 65_535:
        port -= 1
    opened = open_estate(replace(CONFIG, udp=Endpoint("127.0.0.1", port)))
    ports = [bound.getsockname()[1] for bound in opened.udp]
    close(opened)
    assert ports == [port, port + 1]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_the_ipv6_wildcard_hears_ipv4_as_well() -> None:
    opened = open_estate(replace(CONFIG, udp=Endpoint("::", 0), media_processes=1))
    port = opened.udp[0].getsockname()[1]
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        sender.sendto(b"four", ("127.0.0.1", port))
    data, source = opened.udp[0].recvfrom(100)
    close(opened)
    assert (data, source[0]) == (b"four", "::ffff:127.0.0.1")


def test_an_unknown_host_is_named_with_its_option() -> None:
    with pytest.raises(ListenError, match=r"--http no-such-host.invalid:80: the host is not"):
        open_estate(replace(CONFIG, http=Endpoint("no-such-host.invalid", 80)))


def test_an_address_of_another_machine_is_refused_with_the_remedy() -> None:
    with pytest.raises(ListenError, match=r"--udp 192.0.2.1:9: .*choose another --udp HOST:PORT"):
        open_estate(replace(CONFIG, udp=Endpoint("192.0.2.1", 9)))
