"""The text of ``/metrics``; prometheus_client is loaded at the first scrape, not at the start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from voiceroom_mixer.control.export.numbers import Infos, Numbers
from voiceroom_mixer.edge.shm import Segment

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Exposition:
    """A registry of its own with the one collector."""

    def __init__(
        self,
        segments: Sequence[Segment],
        numbers: Numbers,
        refresh: Callable[[], None],
        infos: Callable[[], Infos],
    ) -> None:
        """``refresh`` and ``infos``: see ``MixerCollector``."""
        self._segments = segments
        self._numbers = numbers
        self._refresh = refresh
        self._infos = infos
        self._registry: CollectorRegistry | None = None

    def expose(self, accept: str) -> tuple[bytes, str]:
        """(body, content type) for an ``Accept`` header: OpenMetrics where it is asked for."""
        from prometheus_client.exposition import choose_encoder

        encode, content_type = choose_encoder(accept)
        return encode(self._collected()), content_type

    def _collected(self) -> CollectorRegistry:
        if self._registry is None:
            from prometheus_client import CollectorRegistry

            from voiceroom_mixer.control.export.collector import MixerCollector

            self._registry = CollectorRegistry()
            self._registry.register(
                MixerCollector(self._segments, self._numbers, self._refresh, self._infos)
            )
        return self._registry
