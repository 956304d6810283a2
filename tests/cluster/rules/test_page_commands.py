"""kubectl takes every command of the docs: without a cluster it fails only when it connects."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness import pages
from harness.charts import tool

NOBODY = ("--server=http://127.0.0.1:9", "--request-timeout=1s")
REFUSED = "refused"
OWN = {"voiceroom", "edit", "config"}
"""The plugin's have their own test; the others open an editor, or connect to nothing."""


def commands() -> list[tuple[str, ...]]:
    """Each once."""
    texts = (page.read_text(encoding="utf-8") for page in sorted(pages.DOCS.rglob("*.md")))
    lines = (tuple(line) for text in texts for line in pages.commands(text))
    return list(dict.fromkeys(one for one in lines if one[0] == "kubectl" and one[1] not in OWN))


def said(program: Path, line: tuple[str, ...]) -> str:
    """All that it says."""
    command = [str(program), *NOBODY, *line[1:]]
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=30
    )
    return done.stdout + done.stderr


def test_kubectl_takes_every_command() -> None:
    program, lines = tool("kubectl"), commands()
    assert len(lines) > 60
    answers = {" ".join(line): said(program, line) for line in lines}
    assert {line: answer for line, answer in answers.items() if REFUSED not in answer} == {}


@pytest.mark.parametrize("line", ["kubectl get vr --watches", "kubectl cordon", "kubectl gets vr"])
def test_one_that_it_does_not_take_would_be_found(line: str) -> None:
    assert REFUSED not in said(tool("kubectl"), tuple(line.split()))
