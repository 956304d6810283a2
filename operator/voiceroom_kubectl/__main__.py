"""``kubectl-voiceroom``: the command line's entry."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from voiceroom_kubectl import arguments
from voiceroom_kubectl.cluster import ClusterError, NotFound
from voiceroom_kubectl.output import Terminal

NOT_THERE: Final = 1
REFUSED: Final = 3


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code, as ``--help`` tells it."""
    args = arguments.parse(argv)
    terminal = Terminal(sys.stdout, sys.stderr)
    # slow to import: --help and a wrong command line do without
    from voiceroom_kubectl.api import connected
    from voiceroom_kubectl.commands import COMMANDS, Session
    from voiceroom_kubectl.watch import Watch

    try:
        session = Session(connected(args.kubeconfig, args.context), terminal, args, Watch())
        return COMMANDS[args.command](session)
    except ClusterError as error:
        terminal.remark(f"kubectl voiceroom {args.command}: {error}")
        return NOT_THERE if isinstance(error, NotFound) else REFUSED
    except BrokenPipeError:  # `| head`
        with suppress(OSError):
            sys.stdout.close()
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
