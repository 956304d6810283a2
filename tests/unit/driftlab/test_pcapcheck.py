"""A capture that the test writes, beside the log of a mixer: what was on the wire."""

from __future__ import annotations

import json
import logging
import socket
import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import dpkt
import pytest

from voiceroom_driftlab.cli import main
from voiceroom_driftlab.experiments import capture, timeline
from voiceroom_driftlab.experiments.capture import Rtp
from voiceroom_mixer.control.logs import JsonFormatter

MS = 1_000_000
START_NS = 1_795_000_000_000 * MS
SSRC = 0xCAFE


def speech(
    numbers: Iterable[int], *, ssrc: int = SSRC, late: dict[int, int] | None = None
) -> list[Rtp]:
    """Packets of 20 ms; ``late`` shifts a number and all behind it by so many ms."""
    packets, shift = [], 0
    for n in numbers:
        shift += (late or {}).get(n, 0)
        packets.append(Rtp(START_NS + (n * 20 + shift) * MS, ssrc, n & 0xFFFF, n * 960))
    return packets


def refill(last_seq: int, at_ms: int, ssrc: int | None = SSRC) -> timeline.Refill:
    return timeline.Refill(START_NS + at_ms * MS, ssrc, last_seq, 0, 40, "leg")


def lines(packets: list[Rtp], *events: timeline.Refill) -> list[timeline.Line]:
    return timeline.timeline(timeline.streams(packets), events)


def test_the_articles_signature_is_flagged_on_wire_and_in_the_log() -> None:
    packets = speech([*range(10), *range(12, 30)], late={12: 160})
    wire, log = lines(packets, refill(9, 1_000))
    assert (wire.source, wire.flagged, wire.what) == ("capture", True, "220 ms after seq 9, 2 lost")
    assert "seq 12 after 220 ms: 2 lost (N+1 while last_seq is N-2)" in log.what
    assert log.flagged


def test_a_stall_is_told_apart_from_loss() -> None:
    _, log = lines(speech(range(30), late={10: 300}), refill(9, 1_000))
    assert "the path stalled" in log.what


def test_a_packet_that_came_in_time_is_the_mixers_own_affair() -> None:
    (log,) = lines(speech(range(30)), refill(9, 500))
    assert "it came and was not taken" in log.what


def test_the_end_of_a_stream_is_the_senders() -> None:
    (log,) = lines(speech(range(10)), refill(9, 500))
    assert "nothing came after it" in log.what


def test_a_lone_loss_is_told_and_not_flagged() -> None:
    (line,) = lines(speech([*range(10), *range(11, 20)]))
    assert (line.what, line.flagged) == ("40 ms after seq 9, 1 lost", False)


def test_a_pause_of_the_sender_is_no_gap() -> None:
    before, after = speech(range(10)), speech(range(30, 40))
    after = [one._replace(seq=one.seq - 20) for one in after]
    assert lines(before + after) == []


def test_a_sender_that_stops_in_mid_speech_is_not_taken_for_the_path() -> None:
    after = [one._replace(seq=one.seq - 20) for one in speech(range(30, 40))]
    (log,) = lines(speech(range(10)) + after, refill(9, 1_000))
    assert "the sender paused" in log.what


def test_reordered_packets_are_not_lost() -> None:
    assert lines(speech([0, 1, 3, 2, 4, 5])) == []


def test_sequence_numbers_wrap() -> None:
    assert lines(speech(range(65_530, 65_545))) == []


def test_an_old_log_without_ssrc_is_joined_by_number_and_time() -> None:
    packets = speech(range(10)) + speech(range(1_000, 1_010), ssrc=7)
    assert "nothing came after it" in lines(packets, refill(9, 500, None))[-1].what
    both = speech(range(10)) + speech(range(10), ssrc=7)
    assert "2 streams fit" in lines(both, refill(9, 500, None))[-1].what
    assert "no packet of that number" in lines(packets, refill(777, 500))[-1].what


def test_an_event_of_another_day_is_not_joined() -> None:
    (log,) = lines(speech(range(30)), refill(9, 86_400_000))
    assert "no packet of that number" in log.what


def ethernet(packet: Rtp, head: bytes = b"\x80\x6f") -> bytes:
    payload = head + struct.pack("!HII", packet.seq, packet.timestamp, packet.ssrc) + b"x" * 40
    udp = dpkt.udp.UDP(sport=5_000, dport=7_882, data=payload, ulen=8 + len(payload))
    ip = dpkt.ip.IP(
        src=socket.inet_aton("10.0.0.1"), dst=socket.inet_aton("10.0.0.2"), p=17, data=udp,
        len=28 + len(payload),
    )  # fmt: skip
    return bytes(dpkt.ethernet.Ethernet(data=ip))


def write(path: Path, packets: Iterable[Rtp], snap: int = 1_500) -> None:
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file, nano=True)
        for packet in packets:
            writer.writepkt(ethernet(packet)[:snap], ts=packet.at_ns / 1e9)


def test_headers_are_read_from_whole_frames_and_from_cut_ones(tmp_path: Path) -> None:
    packets = speech(range(5))
    for snap in (1_500, 64):
        write(tmp_path / "call.pcap", packets, snap)
        read = list(capture.read(tmp_path / "call.pcap"))
        assert [one[1:] for one in read] == [one[1:] for one in packets]
        assert [one.at_ns for one in read] == pytest.approx([p.at_ns for p in packets], abs=1_000)


RAW_IP = 101
SLL = struct.pack("!HHH8sH", 0, 1, 6, b"", 0x0800)
SLL2 = struct.pack("!HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, b"")


@pytest.mark.parametrize(
    ("link", "head"),
    [
        (dpkt.pcap.DLT_LINUX_SLL, SLL),
        (dpkt.pcap.DLT_LINUX_SLL2, SLL2),
        (RAW_IP, b""),
        (dpkt.pcap.DLT_NULL, struct.pack("<I", 2)),
    ],
)
def test_captures_of_any_loopback_and_raw_ip_are_read(link: int, head: bytes) -> None:
    (packet,) = speech([7])
    assert capture.rtp(packet.at_ns, link, head + ethernet(packet)[14:]) == packet


def test_ip_version_6_is_read() -> None:
    (packet,) = speech([7])
    datagram = ethernet(packet)[34:]
    head = struct.pack("!IHBB16s16s", 6 << 28, len(datagram), 17, 64, b"\1" * 16, b"\2" * 16)
    assert capture.rtp(packet.at_ns, RAW_IP, head + datagram) == packet


def test_pcapng_is_read(tmp_path: Path) -> None:
    packets = speech(range(5))
    with (tmp_path / "call.pcapng").open("wb") as file:
        writer = dpkt.pcapng.Writer(file)
        for packet in packets:
            writer.writepkt(ethernet(packet), ts=packet.at_ns / 1e9)
    assert [one.seq for one in capture.read(tmp_path / "call.pcapng")] == list(range(5))


@pytest.mark.parametrize("head", [b"\x00\x01", b"\x80\xc8", b"\x16\xfe"])
def test_stun_rtcp_and_dtls_are_no_rtp(head: bytes) -> None:
    frame = ethernet(speech([1])[0], head)
    assert capture.rtp(0, dpkt.pcap.DLT_EN10MB, frame) is None


@pytest.mark.parametrize("size", range(0, 54, 3))
def test_any_cut_is_no_error(size: int) -> None:
    frame = ethernet(speech([1])[0])[:size]
    assert capture.rtp(0, dpkt.pcap.DLT_EN10MB, frame) is None


def log_line(at_ns: int, **changed: object) -> str:
    value = {
        "time": datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="milliseconds"),
        "level": "warning", "message": "JB refill timeout", "room": "lobby", "leg": "a",
        "size_ms": 0, "target_ms": 40, "last_seq": 9, "ssrc": SSRC,
    }  # fmt: skip
    return json.dumps(value | changed)


def test_the_mixers_own_lines_are_read() -> None:
    record = logging.makeLogRecord({
        "name": "voiceroom_mixer.control", "levelno": logging.WARNING, "levelname": "WARNING",
        "msg": timeline.EVENT, "created": START_NS / 1e9, "room": "lobby", "leg": "a",
        "size_ms": 0, "target_ms": 40, "last_seq": 9, "ssrc": SSRC,
    })  # fmt: skip
    (found,) = timeline.refills(JsonFormatter().format(record), "mixer.log")
    assert found == timeline.Refill(START_NS, SSRC, 9, 0, 40, "a")


def test_the_command_joins_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pcap, log = tmp_path / "call.pcap", tmp_path / "mixer.log"
    write(pcap, speech([*range(10), *range(12, 30)], late={12: 160}))
    log.write_text("starting\n" + log_line(START_NS + 500 * MS) + "\n")
    assert main(["pcapcheck", str(pcap), "--log", str(log), "--json", "-"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert data["flagged"] == 2
    assert [line["source"] for line in data["lines"]] == ["capture", "log"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("12:00 WARNING JB refill timeout size_ms=1", "line 1 is no JSON: run the mixer with"),
        ('{"time": "2026-01-01T00:00:00+00:00", "message": "JB refill timeout"}', "'last_seq'"),
    ],
)
def test_a_log_of_another_kind_is_told(line: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        timeline.refills(line, "mixer.log")


def test_a_file_that_is_no_capture_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_bytes(b"hello, this is text" * 10)
    assert main(["pcapcheck", str(tmp_path / "x")]) == 1
    assert "is neither pcap nor pcapng" in capsys.readouterr().err
