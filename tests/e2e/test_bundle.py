"""Clients whose first m-line is not the audio: their first line is the one that BUNDLE goes by, and
it is the audio that they get all the same (RFC 9143 §7.3)."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from browsers.chromium import Chromiums
from browsers.driver import Tab
from browsers.firefox import Firefoxes
from browsers.links import StartMixer, link
from harness.mixer import Mixer, free_port

JOIN = """(async ([kind, policy, token]) => {
  const pc = new RTCPeerConnection({ bundlePolicy: policy });
  if (kind === 'data') pc.createDataChannel('notes');
  if (kind === 'video') pc.addTransceiver('video', { direction: 'recvonly' });
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  pc.addTransceiver(microphone.getAudioTracks()[0], { direction: 'sendrecv' });
  await pc.setLocalDescription();
  const answer = await fetch('/rooms/lobby/whip', {
    method: 'POST', body: pc.localDescription.sdp,
    headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
  });
  const sdp = await answer.text();
  window.offered = pc.localDescription.sdp;
  window.answered = sdp;
  await pc.setRemoteDescription({ type: 'answer', sdp });
  window.call = pc;
  return sdp.split('\\r\\n').filter((line) => line.startsWith('m=')).join('|');
})(%s)"""
HEARS = """(async () => {
  const stats = [...(await window.call.getStats()).values()];
  const inbound = stats.find((s) => s.type === 'inbound-rtp' && s.kind === 'audio');
  return (inbound?.packetsReceived ?? 0) > 3 && window.call.connectionState === 'connected';
})()"""
LINES = [("video", "max-bundle"), ("video", "balanced"), ("data", "max-bundle")]


def joins(tab: Tab, mixer: Mixer, kind: str, policy: str) -> Any:
    url = link(mixer, "speaker")
    tab.goto(url)
    arguments = json.dumps([kind, policy, url.split("token=")[1]])
    lines = tab.evaluate(JOIN % arguments)
    tab.wait_for(HEARS)
    return lines


@pytest.mark.parametrize(("kind", "policy"), LINES)
def test_chromium_is_answered_what_it_can_use(
    mixer: Mixer, chromium: Chromiums, kind: str, policy: str
) -> None:
    assert "m=audio" in joins(chromium.person(440).tab, mixer, kind, policy)


@pytest.mark.parametrize(("kind", "policy"), LINES)
def test_firefox_is_answered_what_it_can_use(
    start_mixer: StartMixer, firefox: Firefoxes, kind: str, policy: str
) -> None:
    # Firefox pairs no loopback address: it is given this machine's own
    mixer = start_mixer("--udp", f"0.0.0.0:{free_port(socket.SOCK_DGRAM)}")
    assert "m=audio" in joins(firefox.person(440).tab, mixer, kind, policy)
