"""What arrives of a sender's packets, and when: from the network in a box, or as recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final, NamedTuple

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.netem import PRESETS, GilbertElliott, Netem, NetemConfig

PACKET_NS: Final = 20 * NS_PER_MS
RECORDED: Final = "recorded"
"""Name of the recording that comes with the laboratory; its first lines say what it is."""
_LOST: Final = "-"
_FIFTY_MS: Final = NetemConfig(
    delay_ms=30, jitter_ms=50, correlation=0.9, loss=GilbertElliott(0.002, 0.4)
)
"""What the article tolerates of a network at most (S5.3)."""


class Heard(NamedTuple):
    """One packet that came."""

    number: int
    """Of the packet as it was sent, from 0 on."""
    arrival_ns: int


@dataclass(frozen=True, slots=True)
class Path:
    """One sender's packets over one network."""

    name: str
    sent: int
    heard: Sequence[Heard]
    """By arrival."""

    @property
    def lost(self) -> int:
        """That never came."""
        return self.sent - len({one.number for one in self.heard})

    @property
    def fastest_ns(self) -> int:
        """The least time that any packet took, on whatever clock stamped the arrivals."""
        return min(one.arrival_ns - one.number * PACKET_NS for one in self.heard)


def synthetic(name: str, config: NetemConfig, count: int, seed: int) -> Path:
    """``count`` packets of 20 ms and 80 bytes over ``config``."""
    net: Netem[int] = Netem(config, seed)
    for number in range(count):
        net.send(number * PACKET_NS, number, 80)
    arrived = net.receive(1 << 62)
    return Path(name, count, [Heard(number, at_ns) for at_ns, number in arrived])


def recorded() -> Path:
    """The recording."""
    text = resources.files(__package__).joinpath("data/recorded.txt").read_text("utf-8")
    return parse(text, RECORDED)


def parse(text: str, name: str) -> Path:
    """A line for each packet in the order sent: its delay in us, or ``-`` where it was lost; lines
    from ``#`` on are remarks. Raises ``ValueError``, naming the line."""
    delays = []
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip()
        if word.startswith("#") or not word:
            continue
        if word != _LOST and not word.isdigit():
            raise ValueError(f"{name}, line {number}: {word!r} is neither a delay in us nor -")
        delays.append(None if word == _LOST else int(word) * 1_000)
    heard = [Heard(n, n * PACKET_NS + ns) for n, ns in enumerate(delays) if ns is not None]
    if not heard:
        raise ValueError(f"{name} holds no packet that arrived")
    return Path(name, len(delays), sorted(heard, key=lambda one: one.arrival_ns))


def presets(count: int, seed: int) -> list[Path]:
    """Every network in a box that has jitter or loss, and one that jitters by 50 ms."""
    named = {name: config for name, config in PRESETS.items() if name != "perfect"}
    named["jitter of 50 ms"] = _FIFTY_MS
    return [synthetic(name, config, count, seed) for name, config in named.items()]
