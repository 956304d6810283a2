"""What the operator asks of an API server: a port, so that tests can stand one in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from voiceroom_operator.cluster.kinds import Kind

Body = Mapping[str, Any]
"""An object, as JSON."""
FIELD_MANAGER: Final = "voiceroom-operator"
NOT_OURS: Final = "NotOurs"
_INVALID: Final = 422
_PASSING: Final = frozenset({401, 404, 408, 409, 410, 429})
"""Client errors that end by themselves, or by another look."""


class ApiError(Exception):
    """The API server refused, or could not be asked."""

    def __init__(
        self, status: int, reason: str, message: str, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        """HTTP status; 0 = there was no answer."""
        self.reason = reason
        """Of the Status object: AlreadyExists, Conflict, Forbidden ..."""
        self.message = message
        self.retry_after_s = retry_after_s

    @property
    def is_missing(self) -> bool:
        """There is no such object."""
        return self.status == 404

    @property
    def is_stale(self) -> bool:
        """The object is not any more what was seen: look again."""
        return self.status == 409 and self.reason != "AlreadyExists"

    @property
    def exists(self) -> bool:
        """An object of that name is there already."""
        return self.status == 409 and self.reason == "AlreadyExists"

    @property
    def is_refusal(self) -> bool:
        """It will be refused again until somebody changes something."""
        return 400 <= self.status < 500 and self.status not in _PASSING


def not_ours(kind: Kind, name: str, pool: str) -> ApiError:
    """Somebody else's object has a name that the pool needs: it is refused like by the server."""
    words = f"the {kind.kind} {name} is there and is not of MixerPool {pool}"
    return ApiError(_INVALID, NOT_OURS, words)


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of a kind, and when that was."""

    items: tuple[Body, ...]
    resource_version: str


class Api(Protocol):
    """Calls that the operator makes. All raise ``ApiError``."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Body:
        """One object."""

    async def list(self, kind: Kind, namespace: str, *, metadata_only: bool = False) -> Listing:
        """All that the operator looks at; ``namespace`` empty = of all namespaces."""

    async def create(self, kind: Kind, namespace: str, body: Body) -> Body:
        """A new object."""

    async def apply(
        self, kind: Kind, namespace: str, name: str, body: Body, subresource: str = ""
    ) -> Body:
        """Server-side apply as ``FIELD_MANAGER``. A uid or resourceVersion in ``body`` is a
        precondition."""

    async def merge(self, kind: Kind, namespace: str, name: str, patch: Body) -> Body:
        """JSON merge patch (RFC 7396). A uid or resourceVersion in ``patch`` is a
        precondition."""

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str, resource_version: str
    ) -> None:
        """Delete the object if it is still that one."""
