"""Which of our addresses clients are told."""

from __future__ import annotations

import socket
from dataclasses import replace
from ipaddress import ip_address

from fakes.building import config
from voiceroom_mixer.config import Endpoint
from voiceroom_mixer.control.signalling.candidates import advertised, routed_addresses


def test_what_the_run_says_in_its_order_with_falling_priority() -> None:
    run = replace(config(), advertise=("192.0.2.1", "127.0.0.2", "192.0.2.1"))
    found = advertised(run, 7882, is_ipv6=False).candidates
    assert [(c.ip, c.port, c.priority) for c in found] == [
        ("192.0.2.1", 7882, 2130706431),
        ("127.0.0.2", 7882, 2130706175),
    ]


def test_ipv6_only_where_the_socket_has_it() -> None:
    run = replace(config(), advertise=("2001:db8::1", "192.0.2.1"))
    assert len(advertised(run, 1, is_ipv6=True).candidates) == 2
    assert [c.ip for c in advertised(run, 1, is_ipv6=False).candidates] == ["192.0.2.1"]


def test_without_a_word_it_is_what_we_listen_on() -> None:
    run = replace(config(), advertise=(), udp=Endpoint("127.0.0.3", 7882))
    assert [c.ip for c in advertised(run, 7882, is_ipv6=False).candidates] == ["127.0.0.3"]


def test_a_wildcard_is_never_advertised() -> None:
    run = replace(config(), advertise=(), udp=Endpoint("0.0.0.0", 7882))
    found = advertised(run, 7882, is_ipv6=False)
    assert found.addresses
    assert not any(ip.is_unspecified for ip in found.addresses)
    assert ip_address("127.0.0.1") in found.addresses, "people come over loopback here"


def test_no_route_is_no_address_nor_is_a_link_local_one() -> None:
    assert routed_addresses([(socket.AF_INET6, "ff02::1")]) == []
    assert routed_addresses([(socket.AF_INET, "255.255.255.255")]) == []
    assert routed_addresses([(socket.AF_INET, "127.0.0.9")])[0].is_loopback


def test_the_peers_ip_version_decides_what_it_is_told() -> None:
    run = replace(config(), advertise=("2001:db8::1", "192.0.2.1"))
    found = advertised(run, 1, is_ipv6=True)
    assert found.like(ip_address("10.0.0.1")) == ip_address("192.0.2.1")
    assert advertised(config(), 1, is_ipv6=False).like(ip_address("::1")) is None
