"""Who is heard of the pool's other media processes: for take-overs, and for twins who ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from voiceroom_mixer.core.moving.messages import Ask, Beat, Tell
from voiceroom_mixer.core.moving.watch import BEAT_NS, Phase, Watch
from voiceroom_mixer.media.moving.post import Post

MAX_WATCHED: Final = 256


class Watches:
    """Beats in and out."""

    def __init__(self, post: Post, entropy: Callable[[int], bytes]) -> None:
        self._post, self._entropy = post, entropy
        self._by_pod: dict[bytes, Watch] = {}
        self._beat_ns = 0

    def __len__(self) -> int:
        return len(self._by_pod)

    def heard(self, beat: Beat, now_ns: int) -> bool:
        """A beat; False for a replay. Of too many the one that is longest silent is forgotten."""
        watch = self._by_pod.get(beat.pod)
        if watch is None:
            if len(self._by_pod) >= MAX_WATCHED:
                silent = min(self._by_pod, key=lambda pod: self._by_pod[pod].heard_ns)
                del self._by_pod[silent]
            watch = self._by_pod[beat.pod] = Watch(beat.pod)
        return watch.beat(beat, now_ns)

    def is_gone(self, pod: str, since_ns: int) -> bool:
        """Whether that process (hex) is silent, and nobody hears it. Only one that was heard after
        ``since_ns`` is missed: an owner beats to its twins alone, so to others it was always
        silent."""
        watch = self._by_pod.get(bytes.fromhex(pod))
        return watch is not None and watch.phase is Phase.GONE and watch.heard_ns > since_ns

    def heard_ns(self, pod: str) -> int | None:
        """When it was heard last; None = never."""
        watch = self._by_pod.get(bytes.fromhex(pod))
        return watch.heard_ns if watch is not None else None

    def beat(self, to: Iterable[bytes], now_ns: int) -> None:
        """To twins, and to those whom twins ask. The sequence is a clock's, so that the keeper's
        beats and ours are one row of numbers."""
        if now_ns - self._beat_ns < BEAT_NS:
            return
        self._beat_ns = now_ns
        beat = Beat(self._post.pod, now_ns)
        self._post.send_all((set(to) | set(self._post.peers)) - {b""}, beat)

    def doubt(self, now_ns: int) -> None:
        """Ask the others about those who have fallen silent."""
        for watch in self._by_pod.values():
            ask = watch.look(now_ns, self._nonce)
            for path in self._post.peers if ask is not None else ():
                assert ask is not None
                self._post.send(path, ask)

    def _nonce(self) -> int:
        return int.from_bytes(self._entropy(8), "big")

    def asked(self, ask: Ask, path: bytes, now_ns: int) -> None:
        """Silence is a no as well."""
        watch = self._by_pod.get(ask.pod)
        if watch is not None and watch.hears(now_ns):
            self._post.send(path, Tell(ask.nonce, hears=True))

    def told(self, tell: Tell, now_ns: int) -> None:
        """One yes is a veto."""
        for watch in self._by_pod.values():
            watch.told(tell, now_ns)
