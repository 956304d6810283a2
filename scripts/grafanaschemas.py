"""Boards against the schemas of several versions of Grafana, as Grafana's own library has them.

That library is generated from Grafana's schemas, a package for each version. What a board says and
a version does not know is lost when that version's library reads it and writes it again. One
process has one version: ``python scripts/grafanaschemas.py FOLDER`` is that process.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "voiceroom"
VERSIONS: Final[Mapping[str, tuple[str, str]]] = {
    "10.4": (
        "1769699796!10.4.0",
        "e3e9e59effc17fa7a3bacaed40dcea2ecc39d6cc4c37dc7b494968afaf35a7b4",
    ),
    "12": ("1769699241", "8fb43923355c5d0e1abe4370e6a66accd372e2f06816d34f34edebe52bb16ef2"),
    "newest": ("0.0.21", "838b8cf35574d6bb2c3173b068e9461df4dc891aecd0f6674fefe244c2eba738"),
}
"""Grafana's version: the package's version and its wheel's SHA-256. The one that boards are built
with, 11.6, is in the environment; "12" calls itself that of "Grafana next", of January 2026."""
_PACKAGE: Final = "grafana-foundation-sdk"


def installed(version: str) -> Path:
    """The folder with the library of that version; it is fetched once.

    Raises:
        subprocess.CalledProcessError: it cannot be had.
    """
    number, digest = VERSIONS[version]
    folder = CACHE / f"{_PACKAGE}-{digest[:12]}"
    if not folder.exists():
        wanted = folder.with_suffix(".txt")
        wanted.parent.mkdir(parents=True, exist_ok=True)
        wanted.write_text(f"{_PACKAGE}=={number} --hash=sha256:{digest}\n")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        target = folder.with_suffix(".part")
        subprocess.run([*pip, "--target", str(target), "-r", str(wanted)], check=True)
        target.rename(folder)
    return folder


def unknown(library: Path, boards: Path) -> dict[str, list[str]]:
    """By file: the fields that this library's Grafana does not know, or reads as another value."""
    command = [sys.executable, str(Path(__file__)), str(boards)]
    env = os.environ | {"PYTHONPATH": str(library)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where ``after`` does not say what ``before`` does; it may say more."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from lost(value, after.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from lost(one, other, f"{path}[]")
    elif before != after:
        yield path


def _read_again(text: str) -> Any:
    from grafana_foundation_sdk.cog import plugins
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard

    plugins.register_default_plugins()
    return json.loads(JSONEncoder().encode(Dashboard.from_json(json.loads(text))))


def main(folder: str) -> None:
    """JSON on standard output."""
    texts = {path.name: path.read_text() for path in sorted(Path(folder).glob("*.json"))}
    found = {
        name: sorted({re.sub(r"^\.", "", at) for at in lost(json.loads(text), _read_again(text))})
        for name, text in texts.items()
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
