"""Ready and alive (contract §2)."""

from __future__ import annotations

from fakes.door import segment
from voiceroom_mixer.control.readiness import Readiness
from voiceroom_mixer.edge.shm import Segment

NS = 1_000_000_000


class Pod:
    """Two media processes and a clock that is set."""

    def __init__(self) -> None:
        self.now_ns = 100 * NS
        self.segments: list[Segment] = [segment(), segment()]
        self.readiness = Readiness(self.segments, lambda: self.now_ns)

    def beat(self) -> None:
        for memory in self.segments:
            memory.set_word("media_beat_ns", self.now_ns)
            memory.set_word("media_ready", 1)


def test_ready_when_listening_and_every_media_process_is_warm_and_beats() -> None:
    pod = Pod()
    assert pod.readiness.unready() == ["starting", "media_warming_up"]
    pod.readiness.listening = True
    pod.beat()
    assert pod.readiness.unready() == []
    pod.segments[1].set_word("media_ready", 0)
    assert pod.readiness.unready() == ["media_warming_up"]


def test_a_media_process_without_a_beat_for_2_s_is_not_ready_but_alive() -> None:
    pod = Pod()
    pod.readiness.listening = True
    pod.beat()
    pod.now_ns += 2 * NS
    assert pod.readiness.unready() == []
    pod.segments[0].set_word("media_beat_ns", pod.now_ns + 1)
    pod.now_ns += 1
    assert pod.readiness.unready() == ["media_stalled"]
    assert pod.readiness.alive()


def test_liveness_tolerates_a_stall_of_60_s_and_no_more() -> None:
    pod = Pod()
    pod.now_ns += 60 * NS
    assert pod.readiness.alive()
    pod.now_ns += 1
    assert not pod.readiness.alive()
    pod.beat()
    assert pod.readiness.alive()


def test_draining_is_not_ready_and_alive() -> None:
    pod = Pod()
    pod.readiness.listening = pod.readiness.draining = True
    pod.beat()
    assert pod.readiness.unready() == ["draining"]
    assert pod.readiness.alive()
