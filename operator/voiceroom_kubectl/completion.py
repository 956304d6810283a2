"""``kubectl_complete-voiceroom``: what kubectl asks for when TAB is pressed behind its plugin.

One proposal a line, then ``:4``: no file names (kubectl's own protocol for plugins).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from voiceroom_kubectl import arguments
from voiceroom_kubectl.cluster import Cluster, ClusterError

_NO_FILES: Final = ":4"
_Connected = Callable[[str | None, str | None], Cluster]


def proposals(words: Sequence[str], connected: _Connected) -> list[str]:
    """For the last of ``words``, which may be empty."""
    begun = words[-1] if words else ""
    commands = _commands()
    name = next((word for word in words[:-1] if word in commands), None)
    found = commands if name is None else _of_command(commands[name], words[:-1], begun, connected)
    return sorted(word for word in found if word.startswith(begun))


def _commands() -> dict[str, argparse.ArgumentParser]:
    for action in arguments.build()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("the command line has commands")


def _of_command(
    command: argparse.ArgumentParser, before: Sequence[str], begun: str, connected: _Connected
) -> Iterable[str]:
    options = {option: action for action in command._actions for option in action.option_strings}
    asked = options.get(before[-1]) if before else None
    if asked is not None and asked.nargs != 0:
        return [str(choice) for choice in asked.choices or ()]
    if begun.startswith("-"):
        return [option for option in options if option.startswith("--")]
    places = [a for a in command._actions if not a.option_strings and a.choices]
    for action in places:
        words = [str(choice) for choice in action.choices or ()]
        if not set(words) & set(before):
            return words
    takes_room = any(action.dest in ("room", "target") for action in command._actions)
    return _rooms(before, connected) if takes_room else ()


def _rooms(before: Sequence[str], connected: _Connected) -> Iterable[str]:
    """Of the namespace that the words before name; nothing at all when that does not work."""
    given = {flag: _value(before, flags) for flag, flags in _PLACES.items()}
    try:
        cluster = connected(given["kubeconfig"], given["context"])
        rooms = cluster.rooms(given["namespace"] or cluster.namespace)
    except ClusterError:
        return ()
    return [room["metadata"]["name"] for room in rooms]


_PLACES: Final = {
    "namespace": ("-n", "--namespace"),
    "context": ("--context",),
    "kubeconfig": ("--kubeconfig",),
}


def _value(words: Sequence[str], flags: tuple[str, ...]) -> str | None:
    for at, word in enumerate(words[:-1]):
        if word in flags:
            return words[at + 1]
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in flags:
            return value
    return None


def main() -> int:
    """The console script."""
    from voiceroom_kubectl.api import connected  # slow to import, seldom needed

    lines = [*proposals(sys.argv[1:], connected), _NO_FILES]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
