"""``kubectl voiceroom chaos`` as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from harness.voice import Voice


def chaos(voice: Voice, kind: str, *options: str) -> subprocess.CompletedProcess[str]:
    """``kubectl voiceroom chaos KIND``, of the pods of the pool."""
    at = (f"--kubeconfig={voice.cluster.kubeconfig}", f"--namespace={voice.namespace}")
    chosen = ("--pod-selector=voiceroom.dev/pool=default", "-o", "json")
    command = [sys.executable, "-m", "voiceroom_kubectl", "chaos", *at, kind, *chosen, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def items(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """By pod."""
    assert done.stdout, done.stderr
    return list(json.loads(done.stdout)["items"])
