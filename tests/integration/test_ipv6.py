"""IPv6: everything on ::1, and IPv4 clients on a socket for both."""

from __future__ import annotations

import socket
from pathlib import Path

from harness.listening import until_heard
from harness.mixer import free_port, running
from harness.party import gathering


def test_http_and_media_on_ipv6(tmp_path: Path) -> None:
    with running(tmp_path, host="::1") as mixer, gathering(mixer) as party:
        assert mixer.links["lobby"][0].startswith("http://[::1]:")
        gateway, ear = party.join(440.0, "six", host="::1"), party.dial(1_100.0, "web", host="::1")
        assert ear.ice.candidates[0][0] == "::1"
        until_heard(ear, 440.0)
        until_heard(gateway, 1_100.0)


def test_a_socket_for_both_serves_both(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM, "::")
    both = ["--udp", f"[::]:{port}", "--advertise", "127.0.0.1", "--advertise", "::1"]
    with running(tmp_path, *both) as mixer, gathering(mixer) as party:
        four = party.join(440.0, "four")
        six = party.join(1_100.0, "six", host="::1")
        web = party.dial(2_300.0, "web")
        assert {ip for ip, _ in web.ice.candidates} == {"127.0.0.1", "::1"}
        until_heard(web, 440.0)
        until_heard(web, 1_100.0)
        until_heard(four, 1_100.0)
        until_heard(six, 2_300.0)
        until_heard(six, 440.0)
