"""Media's end of the socketpair to control: bounded, never blocking."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Final

from voiceroom_mixer.core.state import messages
from voiceroom_mixer.core.state.messages import Message, MessageError
from voiceroom_mixer.media.board import Board

MAX_COMMANDS: Final = 64
"""Commands taken in one go; the rest waits in the kernel's bounded queue."""


class Channel:
    """Sends events, takes commands. A full socket drops the event and counts it: control reads
    the columns once a second and misses nothing that lasts."""

    def __init__(self, sock: socket.socket, board: Board) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._board = board

    def say(self, message: Message) -> None:
        """Send an event, or count it as dropped."""
        try:
            self._sock.send(message.to_bytes())
            self._board.add("events_sent")
        except OSError:
            self._board.add("events_dropped")

    def commands(self) -> Iterator[Message]:
        """What control said since the last time."""
        for _ in range(MAX_COMMANDS):
            try:
                raw = self._sock.recv(messages.MAX_MESSAGE)
            except BlockingIOError:
                return
            try:
                yield messages.parse(raw)
                self._board.add("commands")
            except MessageError:
                self._board.add("events_dropped")
