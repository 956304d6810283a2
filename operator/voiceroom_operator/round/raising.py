"""CPU limits that are on record to be raised: asked of the API server, which may refuse."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from voiceroom_operator.cluster.api import ApiError
from voiceroom_operator.remediation.raises import Raise
from voiceroom_operator.round.acting import Hands
from voiceroom_operator.round.outcome import SOON_S, Outcome
from voiceroom_operator.round.seen import PodRecord, Seen

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Askings:
    """What was refused. It is in statuses a round later, and forgotten here."""

    _refused: dict[str, dict[str, str]] = field(default_factory=dict)
    """By namespace and by the pod's uid: the API server's words."""

    def refusals(self) -> Mapping[str, str]:
        """Of all namespaces, by the pod's uid."""
        return {uid: why for found in self._refused.values() for uid, why in found.items()}

    async def carry_out(
        self, seen: Seen, due: Iterable[Raise], hands: Hands, outcome: Outcome
    ) -> None:
        """What is ``due`` in a namespace."""
        pods = {pod.seen.uid: pod for pod in seen.pods.values()}
        refused: dict[str, str] = {}
        for entry in due:
            if entry.uid in pods:
                why = await _ask(pods[entry.uid], entry, hands, outcome)
                if why:
                    refused[entry.uid] = why
                    outcome.again_s.append(SOON_S)
        self._refused.pop(seen.namespace, None)
        if refused:
            self._refused[seen.namespace] = refused


async def _ask(pod: PodRecord, entry: Raise, hands: Hands, outcome: Outcome) -> str:
    """The refusal; empty when there was none. A cluster without the subresource calls it missing,
    and so does one without the pod: then it matters to nobody."""

    async def ask() -> str:
        try:
            await hands.raise_limit(pod.body, entry.to_m)
        except ApiError as error:
            if not (error.is_refusal or error.is_missing):
                raise
            _log.warning("a CPU limit is not raised", extra={"error": str(error)})
            return str(error)
        return ""

    return await outcome.tried("raise a CPU limit", ask()) or ""
