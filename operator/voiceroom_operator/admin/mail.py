"""Assignments and directories on their way to pods: each pod gets the newest, one at a time.

Nothing is queued: what a pod ought to have is kept, compared with what it has taken, and sent
until both are the same. The directory goes first, so that a room that has left a pod is found
elsewhere by then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceroom_operator.admin.client import Admin, Reply, Unreachable
from voiceroom_operator.admin.looks import Looks, Target
from voiceroom_operator.binding.answers import Accepted, Refused, ResendWhole, StopLeading
from voiceroom_operator.binding.answers import read_answer as read
from voiceroom_operator.binding.assignment import Assignment, RoomCard, Seat, next_assignment
from voiceroom_operator.binding.directory import Directory

_GAPS = 3
"""So many in a row, then it has time until the next look."""

_log = logging.getLogger(__name__)

Term = Callable[[], int]
"""The leader's; 0 = not leading: nothing is sent."""
Refuse = Callable[[Target, str], None]
"""Told when a pod does not take a document, and its words."""


@dataclass(slots=True)
class _Line:
    """To one pod."""

    target: Target
    directory: Directory
    wanted: Assignment = field(default_factory=Assignment)
    made_of: tuple[object, object, object] = (None, None, None)
    """Seats, cards and settings that ``wanted`` tells of."""
    taken: int = 0
    """The generation that the pod has taken; 0 = none of this leader's."""
    number: int = 0
    """Of the directory that it has taken; 0 = none of this leader's."""
    boot_id: str = ""
    refused: Assignment | None = None
    gaps: int = 0
    """How often in a row the pod asked for the whole again."""
    task: asyncio.Task[None] | None = None

    def is_due(self) -> bool:
        """Whether the pod misses anything."""
        if self.number != self.directory.number:
            return True
        return self.taken != self.wanted.generation and self.wanted is not self.refused

    def is_of(self, seats: object, cards: object, settings: object) -> bool:
        """Whether it was made of just these; seats and cards are never changed."""
        before = self.made_of
        return before[0] is seats and before[1] is cards and before[2] == settings


class Mail:
    """All lines, by the uid of the pod."""

    def __init__(
        self,
        admin: Admin,
        looks: Looks,
        term: Term,
        on_stale: Callable[[int], None],
        on_refused: Refuse,
    ) -> None:
        """``on_stale``: told the later leader's term that a pod has heard of."""
        self._admin = admin
        self._looks = looks
        self._term = term
        self._on_stale = on_stale
        self._on_refused = on_refused
        self._lines: dict[str, _Line] = {}

    def tell(
        self,
        target: Target,
        directory: Directory,
        seats: tuple[Seat, ...],
        cards: Mapping[str, RoomCard],
        settings: Mapping[str, Any],
    ) -> None:
        """What the pod ought to know from now on. It has to have answered a look before: its own
        generation is what ours goes on from."""
        line = self._lines.get(target.uid)
        if line is None:
            base = Assignment(self._looks.report(target.uid).generation)
            line = self._lines[target.uid] = _Line(target, directory, base)
            # nothing is told yet: whatever is wanted is new
            line.wanted = replace(base, pod={"": None})
        line.target, line.directory = target, directory
        if not line.is_of(seats, cards, settings):
            line.wanted = next_assignment(line.wanted, seats, cards, settings)
            line.made_of = (seats, cards, settings)
        self._check_boot(line)
        self._wake(line)

    def forget(self, present: Iterable[str]) -> None:
        """Lines to pods that are not ``present`` (uids) end."""
        for uid in self._lines.keys() - set(present):
            line = self._lines.pop(uid)
            if line.task is not None:
                line.task.cancel()

    def nudge(self, uid: str) -> None:
        """The pod has answered: go on with what is due."""
        line = self._lines.get(uid)
        if line is not None:
            self._check_boot(line)
            self._wake(line)

    def _check_boot(self, line: _Line) -> None:
        """A container that has started anew may have lost what it was told."""
        report = self._looks.report(line.target.uid)
        if report.boot_id == line.boot_id:
            return
        line.boot_id = report.boot_id
        line.number = 0
        if line.taken and report.generation != line.taken:
            line.taken = 0
            line.wanted = replace(
                line.wanted, generation=max(line.wanted.generation, report.generation) + 1
            )

    def _wake(self, line: _Line) -> None:
        if line.is_due() and line.task is None and self._term():
            line.task = asyncio.get_running_loop().create_task(self._deliver(line))
            line.task.add_done_callback(lambda _: setattr(line, "task", None))

    async def _deliver(self, line: _Line) -> None:
        """Until the pod has everything, or does not answer: the next look wakes the line. What a
        pod makes of its rooms is asked at once; a directory changes nothing of what it says, and
        every change of a room goes into those of all pods."""
        before = line.taken
        try:
            while line.is_due() and self._term():
                if not await self._send(line):
                    return
        except Unreachable as error:
            _log.info("not delivered", extra={"pod": line.target.name, "error": str(error)})
            return
        if line.taken != before:
            await self._looks.look(line.target)

    async def _send(self, line: _Line) -> bool:
        """One document; whether to go on."""
        document = line.directory.document(self._term(), line.number)
        if document is not None:
            number = line.directory.number
            reply = await self._put(line, "directory", document)
            return self._after_directory(line, number, reply)
        sent = line.wanted
        reply = await self._put(line, "assignment", sent.to_dict(self._term()))
        return self._after_assignment(line, sent, reply)

    async def _put(self, line: _Line, what: str, document: Mapping[str, Any]) -> Reply:
        target = line.target
        return await self._admin.put(target.address, target.access, what, document)

    def _after_directory(self, line: _Line, number: int, reply: Reply) -> bool:
        match read(reply.status, reply.body):
            case Accepted():
                line.number = number
                return True
            case ResendWhole() if line.number:
                line.number = 0
                return True
            case other:
                return self._failed(line, "directory", other, reply)

    def _after_assignment(self, line: _Line, sent: Assignment, reply: Reply) -> bool:
        answer = read(reply.status, reply.body)
        if isinstance(answer, Accepted):
            line.taken, line.gaps = sent.generation, 0
            return True
        if isinstance(answer, ResendWhole):
            line.gaps += 1
            has = reply.body.get("generation")
            above = has if isinstance(has, int) else sent.generation
            line.wanted = replace(line.wanted, generation=max(above, sent.generation) + 1)
            return line.gaps < _GAPS
        if isinstance(answer, Refused):
            line.refused = sent
        return self._failed(line, "assignment", answer, reply)

    def _failed(self, line: _Line, what: str, answer: object, reply: Reply) -> bool:
        if isinstance(answer, StopLeading):
            term = reply.body.get("term")
            self._on_stale(term if isinstance(term, int) else self._term())
        elif isinstance(answer, Refused):
            self._on_refused(line.target, f"{what}: {answer.message or answer.status}")
        _log.warning(
            "a pod does not take it",
            extra={"pod": line.target.name, "what": what, "status": reply.status},
        )
        return False

    async def close(self) -> None:
        """End all lines: nothing is known any more of what pods have taken."""
        tasks = [line.task for line in self._lines.values() if line.task is not None]
        self.forget(())
        await asyncio.gather(*tasks, return_exceptions=True)
