"""What all the doers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voiceroom_mixer.control.rooms.context import ControlClock, Entropy, Publish
from voiceroom_mixer.control.rooms.leaving import Leaving
from voiceroom_mixer.control.rooms.legs import LegBook
from voiceroom_mixer.control.rooms.registry import Registry
from voiceroom_mixer.control.rooms.revoked import RevokedTokens
from voiceroom_mixer.control.signalling.candidates import Advertised


@dataclass(slots=True)
class House:
    """The rooms of this process and the tools to change them.

    ``advertised`` and ``limit`` are replaced when the operator says so, nothing else is.
    """

    registry: Registry
    book: LegBook
    leaving: Leaving
    revoked: RevokedTokens
    publish: Publish
    clock: ControlClock
    entropy: Entropy
    advertised: Sequence[Advertised]
    """Of each media process, by its index."""
    limit: int
    """Participants that this pod may hold."""
