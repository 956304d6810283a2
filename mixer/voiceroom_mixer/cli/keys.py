"""The key file that ``run`` and ``token`` share."""

from __future__ import annotations

import os
from pathlib import Path

from voiceroom_mixer.control.auth import keyfile
from voiceroom_mixer.control.auth.keys import KeySet


def find(option: str | None) -> tuple[str, KeySet]:
    """The absolute path and the keys of ``--keys``, or of the user's own file, made if need be.

    Raises ``KeysError``.
    """
    if option is not None:
        path = Path(option).absolute()
        return str(path), keyfile.load(path)
    path = keyfile.default_path(os.environ)
    return str(path), keyfile.ensure(path)
