"""``voiceroom-mixer``: the command line's entry."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from voiceroom_mixer.cli import arguments


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command. Exit code 2: the command line or a file it names is wrong."""
    args = arguments.parse(argv)
    if args.command == "run":
        from voiceroom_mixer.cli.run import run

        run(args)
    if args.command == "pod":
        from voiceroom_mixer.cli.pod import pod

        pod(args)
    if args.command == "probe":
        from voiceroom_mixer.cli import probe

        raise SystemExit(probe.run(args))
    from voiceroom_api.units import NS_PER_S
    from voiceroom_mixer.cli.token import token
    from voiceroom_mixer.edge.clock import wall_ns

    sys.stdout.write(token(args, wall_ns() / NS_PER_S) + "\n")


if __name__ == "__main__":
    main()
