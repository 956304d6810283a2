"""Plain-RTP legs: gateways as they are, with all that happens to their streams."""

from __future__ import annotations

import pytest

from harness.listening import AUDIBLE_DB, hears, loudness, tone_is_whole, until, until_heard
from harness.party import Party
from harness.rtp import RtpLeg


@pytest.mark.timing
def test_sequence_and_timestamp_wrap_unheard(room: Party) -> None:
    gateway, ear = RtpLeg(440.0), room.join(None, "ear")
    room.legs.append(gateway)
    gateway.seq, gateway.timestamp = 65_536 - 100, 2**32 - 130 * 960
    answer = room.add(gateway.port, "gateway")
    gateway.start((answer["ip"], answer["port"]))
    until_heard(ear, 440.0)
    begun = len(ear.heard)
    until(lambda: gateway.seq > 65_536 + 60 and gateway.timestamp > 2**32 + 30 * 960)
    ear.wait_packets(10)
    tone_is_whole(ear, begun, 440.0)


@pytest.mark.timing
def test_another_ssrc_is_believed_after_three_packets(room: Party) -> None:
    gateway, ear = room.join(440.0, "gateway"), room.join(None, "ear")
    until_heard(ear, 440.0)
    before = room.mixer.metrics()["voiceroom_source_changes_total"]
    begun = len(ear.heard)
    gateway.ssrc ^= 0xFFFF
    until(lambda: room.mixer.metrics()["voiceroom_source_changes_total"] == before + 1)
    until_heard(ear, 440.0)
    gap = sum(level < AUDIBLE_DB for level in loudness(ear.heard[begun:], 440.0, 1))
    assert gap <= 12, f"{gap} frames without the tone"


@pytest.mark.timing
def test_one_stray_packet_of_another_ssrc_changes_nothing(room: Party) -> None:
    gateway, ear = room.join(440.0, "gateway"), room.join(None, "ear")
    until_heard(ear, 440.0)
    before = room.mixer.metrics()["voiceroom_source_changes_total"]
    begun = len(ear.heard)
    stray = bytearray(gateway.packet(b"\xf8\xff\xfe"))
    stray[8:12] = b"\1\2\3\4"
    gateway.socket.sendto(bytes(stray), gateway.target)
    ear.wait_packets(50)
    tone_is_whole(ear, begun, 440.0)
    assert room.mixer.metrics()["voiceroom_source_changes_total"] == before


def test_port_0_latches_to_the_first_valid_source(room: Party) -> None:
    gateway, ear = RtpLeg(440.0), room.join(None, "ear")
    room.legs.append(gateway)
    answer = room.add(0, "latching")
    wrong = bytearray(gateway.packet(b"\xf8\xff\xfe"))
    wrong[1] = 96
    stranger = RtpLeg(None)
    stranger.socket.sendto(bytes(wrong), (answer["ip"], answer["port"]))
    gateway.start((answer["ip"], answer["port"]))
    until_heard(ear, 440.0)
    gateway.wait_packets(2)
    stranger.socket.sendto(stranger.packet(b"\xf8\xff\xfe"), (answer["ip"], answer["port"]))
    gateway.wait_packets(2)
    stranger.close()


def test_a_gateway_behind_a_nat_is_heard_and_hears_at_the_port_that_it_was_given(
    room: Party,
) -> None:
    """The mixer sends first, to the port that was told; the gateway's packets have another one."""
    inside, ear = RtpLeg(440.0), room.join(660.0, "ear")
    room.legs.append(inside)
    told = RtpLeg(None)
    told.socket.settimeout(5)
    answer = room.add(told.port, "gateway")
    told.socket.recv(2048)
    inside.start((answer["ip"], answer["port"]))
    until_heard(ear, 440.0)
    until_heard(inside, 660.0)
    told.close()


def test_two_legs_with_one_address_are_a_conflict(room: Party) -> None:
    gateway = room.join(440.0, "gateway")
    body = {"kind": "rtp", "ip": "127.0.0.1", "port": gateway.port, "payloadType": 111}
    status, answer, _ = room.call("POST", "/legs", body | {"identity": "b", "role": "speaker"})
    assert (status, answer["error"]) == (409, "address_taken")
    assert len(room.room()["participants"]) == 1


def test_silence_never_ends_a_gateway_and_its_return_is_heard(room: Party) -> None:
    gateway, ear = room.join(440.0, "gateway"), room.join(None, "ear")
    until_heard(ear, 440.0)
    gateway.sending = False
    ear.wait(lambda heard: heard[-1].timestamp - heard[-5].timestamp > 4 * 18_000, 10)
    gateway.sending = True
    until_heard(ear, 440.0)
    assert hears(ear, 440.0) > AUDIBLE_DB


@pytest.mark.parametrize("field", ["ip", "port", "payloadType"])
def test_a_missing_field_is_named(room: Party, field: str) -> None:
    body = {"kind": "rtp", "ip": "127.0.0.1", "port": 6_000, "payloadType": 111}
    del body[field]
    status, answer, _ = room.call("POST", "/legs", body)
    assert (status, answer["field"]) == (422, field)
