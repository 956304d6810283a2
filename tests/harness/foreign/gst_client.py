"""Joins a room by WHIP with GStreamer's webrtcbin (libnice), run by the system's Python: it sends a
tone and writes down every packet that comes, as nanoseconds, sequence number, timestamp, SSRC.

    gst_client.py URL TOKEN HZ HEARD
"""

from __future__ import annotations

import struct
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import (  # type: ignore[import-not-found]  # noqa: E402
    GLib,
    Gst,
    GstSdp,
    GstWebRTC,
)

PIPELINE = """
webrtcbin name=w bundle-policy=max-bundle latency=60
audiotestsrc is-live=true freq={hz} volume=0.25 samplesperbuffer=960
 ! audio/x-raw,rate=48000,channels=1 ! opusenc ! rtpopuspay pt=111
 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000 ! w.
"""


class Client:
    """One call."""

    def __init__(self, url: str, token: str, hz: str, heard: str) -> None:
        self.url, self.token = url, token
        self.heard = Path(heard).open("a", buffering=1)  # noqa: SIM115 - until it is killed
        self.pipeline = Gst.parse_launch(PIPELINE.format(hz=hz))
        self.web = self.pipeline.get_by_name("w")
        # libnice leaves loopback out by itself, and that is where tests are.
        self.ice = self.web.get_property("ice-agent")
        self.ice.emit("add-local-ip-address", "127.0.0.1")
        self.web.connect("on-negotiation-needed", self.offer)
        self.web.connect("notify::ice-gathering-state", self.gathered)
        self.web.connect("notify::ice-connection-state", self.said)
        self.web.connect("pad-added", self.listen)

    def offer(self, web: Any) -> None:
        web.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered, None, None))

    def offered(self, promise: Any, *_: Any) -> None:
        promise.wait()
        reply = promise.get_reply()
        self.web.emit("set-local-description", reply["offer"], Gst.Promise.new())

    def gathered(self, web: Any, _: Any) -> None:
        if web.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self.join)

    def join(self) -> bool:
        local = self.web.get_property("local-description").sdp.as_text()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/sdp"}
        request = urllib.request.Request(self.url, local.encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            print("location", answer.headers["Location"], flush=True)
            text = answer.read()
        _, sdp = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(text, sdp)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.web.emit("set-remote-description", answer, Gst.Promise.new())
        return False

    def said(self, web: Any, _: Any) -> None:
        print("ice", web.get_property("ice-connection-state").value_nick, flush=True)

    def listen(self, _: Any, pad: Any) -> None:
        if pad.get_direction() == Gst.PadDirection.SRC:
            sink = Gst.ElementFactory.make("fakesink")
            sink.set_property("sync", False)
            self.pipeline.add(sink)
            sink.sync_state_with_parent()
            pad.add_probe(Gst.PadProbeType.BUFFER, self.packet)
            pad.link(sink.get_static_pad("sink"))

    def packet(self, _: Any, info: Any) -> Any:
        data = info.get_buffer().extract_dup(0, 12)
        seq, stamp, ssrc = struct.unpack_from("!HII", data, 2)
        print(time.monotonic_ns(), seq, stamp, ssrc, file=self.heard)
        return Gst.PadProbeReturn.OK


if __name__ == "__main__":
    Gst.init(None)
    client = Client(*sys.argv[1:5])
    client.pipeline.set_state(Gst.State.PLAYING)
    GLib.MainLoop().run()
