"""The HTTP face of a mixer, wherever it runs."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from voiceroom_mixer.core.state.legstate import Role

Answer = tuple[int, Any, dict[str, str]]


class Door:
    """Requests to one address; who knows the keys also signs tokens."""

    def __init__(self, base: str) -> None:
        """``base``: such as ``http://127.0.0.1:8080``."""
        self.base = base

    def sign(self, role: Role, room: str = "lobby", identity: str = "tester") -> str:
        """A token."""
        raise NotImplementedError(f"the keys of {self.base} are not known")

    def call(
        self, method: str, path: str, token: str | None = None, body: Any = None, **headers: str
    ) -> Answer:
        """(status, decoded JSON or text, headers)."""
        data = body.encode() if isinstance(body, str) else body
        if isinstance(body, dict):
            data = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        sent = {k.replace("_", "-"): v for k, v in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.base + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, _decoded(answer.read(), answer.headers), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _decoded(error.read(), error.headers), dict(error.headers)


def _decoded(raw: bytes, headers: Any) -> Any:
    text = raw.decode()
    return json.loads(text) if "json" in (headers.get("Content-Type") or "") else text
