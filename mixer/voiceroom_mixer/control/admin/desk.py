"""Takes the operator's documents in: in order, whole or not at all, kept before they are answered.

``term`` is the operator's leadership: an older one than was ever heard of is refused (409
``stale_term``), and its sender stops leading. Within a term a generation is taken once and only
upwards; a sender that is behind, or has left something out, is told so (409 ``gap``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from voiceroom_mixer.control.admin import assignment, directory
from voiceroom_mixer.control.admin.assignment import Assignment
from voiceroom_mixer.control.admin.directory import Directory, Place
from voiceroom_mixer.control.admin.store import Store
from voiceroom_mixer.control.service import ApiError

_log = logging.getLogger(__name__)
Apply = Callable[[Assignment], None]


class Conflict(ApiError):
    """409 with what the pod has."""

    def __init__(self, code: str, message: str, **has: int) -> None:
        super().__init__(409, code, message)
        self.has = has

    def to_dict(self) -> dict[str, Any]:
        """The JSON body."""
        return super().to_dict() | self.has


class Desk:
    """What this pod was told last."""

    def __init__(self, store: Store) -> None:
        """Takes up what ``store`` has kept."""
        self._store = store
        self._order = asyncio.Lock()
        self.assignment = self._kept_assignment()
        self.directory = self._kept_directory()
        self.kept = True
        """What holds now is also on disk."""
        self.apply: Apply = lambda _: None
        """Carries an assignment out; set by the composition root."""
        self._spoken = asyncio.Event()
        self._note_told()

    @property
    def term(self) -> int:
        """The highest heard of; 0 = none."""
        return max(self.assignment.term if self.assignment else 0, self.directory.term)

    @property
    def generation(self) -> int:
        """Of the assignment; 0 = none."""
        return self.assignment.generation if self.assignment else 0

    @property
    def told(self) -> bool:
        """Whether the operator has spoken to this pod at all."""
        return self._spoken.is_set()

    def _note_told(self) -> None:
        if self.assignment is not None or self.directory.number > 0:
            self._spoken.set()

    async def first_word(self) -> None:
        """Until the operator has spoken to this pod; it tells where rooms are before all else."""
        await self._spoken.wait()

    def place(self, room: str) -> Place | None:
        """Where the pool's room is."""
        return self.directory.places.get(room)

    async def assign(self, body: Mapping[str, Any]) -> None:
        """Raises ``ApiError`` 409, 422; then nothing has changed."""
        async with self._order:
            wanted = assignment.read(body, self.assignment)
            if not self._is_news(wanted):
                return
            kept = await asyncio.to_thread(self._store.save, "assignment", body)
            self.assignment, self.kept = wanted, kept
            self._note_told()
            _log.info(
                "assigned",
                extra={"term": wanted.term, "generation": wanted.generation}
                | {"rooms": len(wanted.seats)},
            )
            self.apply(wanted)

    def _is_news(self, wanted: Assignment) -> bool:
        """False for what is held already. Raises ``Conflict``."""
        self._refuse_stale(wanted.term)
        has = self.assignment
        if has is None or wanted.term > has.term or wanted.generation > has.generation:
            return True
        if wanted.generation == has.generation and _same(wanted, has):
            return False
        message = (
            f"generation {has.generation} is here: send the assignment whole, under a higher one"
        )
        raise Conflict("gap", message, generation=has.generation)

    def _refuse_stale(self, term: int) -> None:
        if term < self.term:
            message = f"term {term} is over: a later leader, of term {self.term}, has been heard"
            raise Conflict("stale_term", message, term=self.term)

    async def direct(self, body: Mapping[str, Any]) -> None:
        """Raises ``ApiError`` 409, 422; then nothing has changed."""
        async with self._order:
            delta = directory.read(body)
            self._refuse_stale(delta.term)
            has = self.directory
            if not has.fits(delta):
                message = f"number {has.number} is here, not {delta.start}: send it whole, from 0"
                raise Conflict("gap", message, number=has.number)
            after = has.after(delta)
            await asyncio.to_thread(self._store.save, "directory", after.whole())
            self.directory = after
            self._note_told()

    def _kept_assignment(self) -> Assignment | None:
        kept = self._store.load("assignment")
        try:
            return assignment.read(kept) if kept is not None else None
        except ApiError as error:
            _log.warning("the kept assignment is left aside: %s", error)
            return None

    def _kept_directory(self) -> Directory:
        kept = self._store.load("directory")
        try:
            return Directory().after(directory.read(kept)) if kept is not None else Directory()
        except ApiError as error:
            _log.warning("the kept directory is left aside: %s", error)
            return Directory()


def _same(one: Assignment, other: Assignment) -> bool:
    return (one.seats, one.limits, one.advertise) == (other.seats, other.limits, other.advertise)
