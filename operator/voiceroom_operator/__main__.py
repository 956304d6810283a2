"""``voiceroom-operator``: the command."""

from __future__ import annotations

import asyncio
import os
import sys

from voiceroom_operator.settings import BadSetting, read_settings


def main() -> int:
    """0: told to stop. 1: no cluster, or the port is taken. 2: a setting is wrong."""
    try:
        settings = read_settings(sys.argv[1:], os.environ)
    except BadSetting as wrong:
        sys.stderr.write(f"voiceroom-operator: {wrong}\n")
        return 2
    from voiceroom_operator.edge import logs

    log = logs.set_up(settings.log_format, settings.log_level)
    from kubernetes.aio.config import ConfigException

    from voiceroom_operator.running.process import serve

    try:
        asyncio.run(serve(settings, log))
    except (ConfigException, OSError) as error:
        sys.stderr.write(f"voiceroom-operator: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
