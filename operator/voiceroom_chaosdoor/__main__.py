"""``voiceroom-chaos-door``: one on each node, where the chart's ``chaos.node`` is switched on."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from voiceroom_api.units import NS_PER_S
from voiceroom_chaosdoor import cgroups, cli, clock
from voiceroom_chaosdoor.bearer import Bearer
from voiceroom_chaosdoor.desk import Desk
from voiceroom_chaosdoor.events import Events
from voiceroom_chaosdoor.exposition import render
from voiceroom_chaosdoor.journal import Journal
from voiceroom_chaosdoor.kube import ApiServer, Kube
from voiceroom_chaosdoor.listeners import Listener, figures
from voiceroom_chaosdoor.means import Means, SwitchedOff, Throttle
from voiceroom_chaosdoor.network import Networks
from voiceroom_chaosdoor.order import Kind
from voiceroom_chaosdoor.orders import Orders
from voiceroom_chaosdoor.shaping import Netem

LOOK_S: Final = 0.2
REFRESH_LOOKS: Final = 150
"""The token is read again every 30 s."""
SILENT_NS: Final = 30 * NS_PER_S
_CLOSE_S: Final = 3.0
NETEM_OFF: Final = "netem is switched off on nodes: the chart's value chaos.node.netem"
_log = logging.getLogger(__name__)
_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class JsonLines(logging.Formatter):
    """A line for each record, with what it was given beside its words."""

    def format(self, record: logging.LogRecord) -> str:
        """JSON."""
        head = {"level": record.levelname.lower(), "message": record.getMessage()}
        more = {key: value for key, value in vars(record).items() if key not in _OWN}
        return json.dumps(head | more, default=str)


class Door:
    """All of it, put together. The first look undoes what a door before it left."""

    def __init__(
        self, kube: Kube, journal: Journal, means: Mapping[Kind, Means], args: argparse.Namespace
    ) -> None:
        """Raises ``OSError`` when it cannot listen."""
        self.events = Events(kube, args.node, clock.wall_s)
        self.desk = Desk(
            means, journal, boot_ns=clock.boot_ns, wall_s=clock.wall_s, tell=self.events.tell
        )
        self.bearer = Bearer(kube, args.namespace)
        self._looked_ns = clock.boot_ns()
        self._ended = threading.Event()
        orders = Orders(self.desk, self.bearer, kube, args.node)
        self.listeners = (
            Listener(args.listen, orders.serve),
            Listener(args.metrics, figures(self.expose, self.alive, lambda: self.bearer.known)),
        )

    def expose(self) -> str:
        """The text of ``/metrics``."""
        return render(self.desk.active(), self.desk.counts, self.events.dropped)

    def alive(self) -> bool:
        """It still looks at the deadlines."""
        return clock.boot_ns() - self._looked_ns < SILENT_NS

    def ask_to_end(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """A handler of signals."""
        self._ended.set()

    def run(self) -> None:
        """Until it is asked to end; then nothing of what it did is left."""
        self.desk.look()
        self.events.start()
        threading.Thread(target=self._keep_token, name="token", daemon=True).start()
        for listener in self.listeners:
            listener.open()
        ports = dict(zip(("orders", "figures"), (one.port for one in self.listeners), strict=True))
        _log.info("the chaos door takes orders", extra=ports)
        while not self._ended.wait(LOOK_S):
            self.desk.look()
            self._looked_ns = clock.boot_ns()
        self.desk.stop()
        for listener in self.listeners:
            listener.close()
        self.events.close(_CLOSE_S)

    def _keep_token(self) -> None:
        """In a thread of its own: deadlines do not wait for the API server."""
        self.bearer.refresh()
        while not self._ended.wait(LOOK_S * REFRESH_LOOKS):
            self.bearer.refresh()


def means(args: argparse.Namespace) -> dict[Kind, Means]:
    """By kind. Raises ``OSError`` without cgroups."""
    tree = cgroups.mounted(Path(args.cgroups))
    netem: Means = SwitchedOff(NETEM_OFF)
    if args.netem:
        netem = Netem(tree, Networks())
    return {"throttle": Throttle(tree), "netem": netem}


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run until told to stop. Exit code 1: the node lacks something, or it cannot listen."""
    args = cli.parse(argv)
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    try:
        kube = ApiServer(args.api_host, args.api_port, Path(args.account))
        door = Door(kube, Journal(Path(args.journal)), means(args), args)
    except OSError as error:
        sys.stderr.write(f"voiceroom-chaos-door: {error}\n")
        raise SystemExit(1) from error
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, door.ask_to_end)
    door.run()
    raise SystemExit(0)


if __name__ == "__main__":
    main()
