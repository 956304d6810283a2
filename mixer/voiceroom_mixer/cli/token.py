"""``voiceroom-mixer token``: print a join token."""

from __future__ import annotations

import argparse

from voiceroom_mixer.cli import keys
from voiceroom_mixer.cli.arguments import fail
from voiceroom_mixer.control.auth.keys import KeysError


def token(args: argparse.Namespace, now_s: float) -> str:
    """The token that ``args`` ask for; exits with code 2 when it cannot be made."""
    try:
        _, key_set = keys.find(args.keys)
    except KeysError as error:
        fail("voiceroom-mixer token", f"--keys: {error}")
    from voiceroom_mixer.control.auth.tokens import sign

    try:
        return sign(
            key_set,
            sub=args.identity,
            room=args.room,
            role=args.role,
            now_s=now_s,
            ttl_s=args.ttl,
        )
    except ValueError as error:
        fail("voiceroom-mixer token", _by_option(str(error)))


def _by_option(message: str) -> str:
    """The claim ``sub`` is the option ``--identity``, and so on."""
    claim, _, rest = message.partition(" ")
    option = {"sub": "--identity", "room": "--room", "role": "--role"}.get(claim)
    return f"{option}: {rest}" if option else message
