"""The operator's log where nobody takes it: the loop goes on, what is lost is counted and said."""

from __future__ import annotations

import logging
import threading
from typing import TextIO, cast

from voiceroom_operator.edge import logs
from voiceroom_operator.edge.logqueue import QueuedHandler

PATIENCE_S = 10.0


class Stuck:
    """A stream that takes nothing until it is told to."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.open = threading.Event()
        self.tried = threading.Event()
        self.broken = False

    def write(self, text: str) -> None:
        self.tried.set()
        assert self.open.wait(PATIENCE_S)
        if self.broken:
            raise OSError("no space left")
        self.taken.append(text)

    def flush(self) -> None:
        pass


def handler(stream: Stuck, most: int) -> tuple[QueuedHandler, logging.Logger, list[None]]:
    made, logger = QueuedHandler(cast(TextIO, stream), most), logging.Logger("test")
    drops: list[None] = []
    made.setFormatter(logs.TextFormatter())
    made.on_drop = lambda: drops.append(None)
    logger.addHandler(made)
    return made, logger, drops


def test_who_logs_does_not_wait_and_what_is_lost_is_said_where_it_is_missing() -> None:
    stream = Stuck()
    made, logger, drops = handler(stream, 3)
    logger.warning("first")
    assert stream.tried.wait(PATIENCE_S)  # it is being written, and waits no longer
    for number in range(5):
        logger.warning("line %d", number)
    assert len(drops) == 2
    assert not made.drain(0.0)
    stream.open.set()
    assert made.drain(PATIENCE_S)
    logger.warning("after")
    assert made.drain(PATIENCE_S)
    said = ["first", "line 0", "line 1", "line 2"]
    lost = "WARNING log lines were dropped here: nobody took them dropped=2\n"
    assert stream.taken == [*(f"WARNING {line}\n" for line in said), lost, "WARNING after\n"]


def test_what_cannot_be_written_is_lost_and_counted() -> None:
    stream = Stuck()
    made, logger, drops = handler(stream, 3)
    stream.broken = True
    stream.open.set()
    logger.warning("lost")
    assert made.drain(PATIENCE_S)
    assert len(drops) == 1
    stream.broken = False
    logger.warning("heard")
    assert made.drain(PATIENCE_S)
    assert stream.taken[0].endswith("dropped=1\n")
    assert stream.taken[1] == "WARNING heard\n"


def test_the_end_of_the_process_waits_for_what_was_said() -> None:
    stream = Stuck()
    made, logger, _ = handler(stream, 3)
    logger.warning("last words")
    stream.open.set()
    made.close()
    assert stream.taken == ["WARNING last words\n"]
