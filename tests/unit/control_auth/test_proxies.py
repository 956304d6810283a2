import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceroom_mixer.control.auth.proxies import Proxies, Source, contains, parse_networks

PROXIES = Proxies(parse_networks(["10.0.0.0/8", "fd00::/8"]))


def source(peer: str, *forwarded_for: str, proto: str | None = None) -> Source:
    return PROXIES.source(peer, "http", forwarded_for, proto)


def test_a_stranger_is_who_he_is() -> None:
    assert source("192.0.2.1", "198.51.100.1", proto="https") == Source("192.0.2.1", "http")


def test_a_trusted_proxy_is_believed() -> None:
    assert source("10.0.0.1", "192.0.2.1", proto="https") == Source("192.0.2.1", "https")
    assert source("fd00::1", "2001:db8::1").address == "2001:db8::1"
    assert source("::ffff:10.0.0.1", "192.0.2.1").address == "192.0.2.1"


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        (("198.51.100.66, 192.0.2.1",), "192.0.2.1"),
        (("198.51.100.66", "192.0.2.1, 10.0.0.9"), "192.0.2.1"),
        (("10.0.0.7, 10.0.0.8",), "10.0.0.7"),
        (("192.0.2.1:5555",), "192.0.2.1"),
        (("[2001:db8::1]:5555",), "2001:db8::1"),
        (("192.0.2.1, unknown, 10.0.0.9",), "10.0.0.9"),
        (("unknown",), "10.0.0.1"),
        (("",), "10.0.0.1"),
        ((), "10.0.0.1"),
    ],
)
def test_the_first_from_the_right_that_is_no_proxy(headers: tuple[str, ...], client: str) -> None:
    assert source("10.0.0.1", *headers).address == client


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [("https", "https"), ("HTTPS ", "https"), ("ftp", "http"), ("http, https", "https")],
)
def test_the_scheme(proto: str, scheme: str) -> None:
    assert source("10.0.0.1", "192.0.2.1", proto=proto).scheme == scheme


def test_limits_count_an_ipv6_host_once() -> None:
    one, two, other = (Source(a, "http").limit_key for a in ("2a::1", "2a::2", "2a:0:0:1::1"))
    assert one == two != other
    assert Source("192.0.2.1", "http").limit_key == "192.0.2.1"


def test_networks() -> None:
    assert contains(parse_networks(["192.0.2.7"]), "192.0.2.7")
    assert not contains(parse_networks(["192.0.2.0/24"]), "2001:db8::1")
    assert not contains(parse_networks(["192.0.2.0/24"]), "name")
    with pytest.raises(ValueError, match=r"'10\.0\.0\.1/8' is not a CIDR .* host bits"):
        parse_networks(["10.0.0.1/8"])


@given(st.lists(st.text(max_size=60), max_size=4), st.text(max_size=20))
def test_nothing_in_a_header_is_an_error(headers: list[str], proto: str) -> None:
    found = PROXIES.source("10.0.0.1", "http", headers, proto)
    assert found.scheme in ("http", "https")
    assert found.limit_key
