"""The VoiceRoom resource (``crds/voicerooms.yaml``): its typed twin and its reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from voiceroom_api.documents import Kind, read_document
from voiceroom_api.duration import parse_duration
from voiceroom_api.fields import to_dict
from voiceroom_api.names import VOICE_ROOM
from voiceroom_api.problems import InvalidDocument, Problem
from voiceroom_api.rules import Relation, Span, Text, Whole
from voiceroom_api.texts import DNS_LABEL, object_key, object_name


@dataclass(frozen=True, slots=True)
class JitterBuffer:
    """Bounds of the adaptive delay, in milliseconds."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = (
        Relation(
            "self.minMs <= self.maxMs",
            "minMs must not be greater than maxMs",
            lambda self: bool(self.min_ms <= self.max_ms),
        ),
    )
    min_ms: Annotated[int, Whole(10, 500)] = 20
    max_ms: Annotated[int, Whole(10, 500)] = 200


@dataclass(frozen=True, slots=True)
class Audio:
    """How the room sounds."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    frame_ms: Annotated[int, Whole(allowed=(10, 20, 40))] = 20
    talkers: Annotated[int, Whole(0, 16)] = 3
    """The loudest so many are mixed; 0 = all."""
    bitrate_kbps: Annotated[int, Whole(8, 128)] = 32
    fec: bool = True
    dtx: bool = True
    jitter_buffer: JitterBuffer = field(default_factory=JitterBuffer)


@dataclass(frozen=True, slots=True)
class PinSecretRef:
    """Where in the cluster the PIN is kept."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    name: Annotated[str, object_name("a Secret")]
    key: Annotated[str, object_key("the Secret")]


@dataclass(frozen=True, slots=True)
class Access:
    """How people get in."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    token_ttl: Annotated[str, Span(60, 86_400)] = "1h"
    pin_secret_ref: PinSecretRef | None = None

    @property
    def token_ttl_s(self) -> int:
        """Seconds."""
        return parse_duration(self.token_ttl)


@dataclass(frozen=True, slots=True)
class Paused:
    """Why the room is not to be moved."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    reason: Annotated[str, Text("must be 1 to 256 characters", high=256)]


@dataclass(frozen=True, slots=True)
class Remediation:
    """Whether the room may be moved when its timer misbehaves; unset = as the pool says."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    mode: Literal["Off", "DryRun", "Enforce"] | None = None
    paused: Paused | None = None


@dataclass(frozen=True, slots=True)
class VoiceRoomSpec:
    """What a person wants of a room."""

    RELATIONS: ClassVar[tuple[Relation, ...]] = ()
    pool_name: Annotated[str, DNS_LABEL] = "default"
    placement: Literal["Shared", "Dedicated"] = "Shared"
    max_participants: Annotated[int, Whole(1, 1000)] = 500
    audio: Audio = field(default_factory=Audio)
    access: Access = field(default_factory=Access)
    locked: bool = False
    remediation: Remediation = field(default_factory=Remediation)

    def to_dict(self) -> dict[str, Any]:
        """As in YAML, defaults written out."""
        return to_dict(self)


@dataclass(frozen=True, slots=True)
class VoiceRoom:
    """One room, as its writer wants it."""

    name: str
    """``metadata.name``: the room's path."""
    spec: VoiceRoomSpec = field(default_factory=VoiceRoomSpec)
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def load_documents(text: str, source: str) -> list[VoiceRoom]:
    """The VoiceRooms of a YAML file; ``source`` names it in errors.

    Raises ``InvalidDocument`` with every problem found, and nothing else.
    """
    from voiceroom_api.yamltext import YamlError, load_all

    try:
        documents = load_all(text)
    except YamlError as error:
        raise InvalidDocument(source, [Problem("", str(error))]) from error
    documents = [document for document in documents if document is not None]
    problems: list[Problem] = []
    rooms: list[VoiceRoom] = []
    for number, document in enumerate(documents, 1):
        found: list[Problem] = []
        room = read_room(document, found)
        if room is not None:
            rooms.append(room)
        prefix = f"document {number}: " if len(documents) > 1 else ""
        problems.extend(Problem(prefix + path, message) for path, message in found)
    problems.extend(_set_problems(rooms, documents))
    if problems:
        raise InvalidDocument(source, problems)
    return rooms


def _set_problems(rooms: list[VoiceRoom], documents: list[Any]) -> list[Problem]:
    if not documents:
        return [Problem("", f"holds no document; a {VOICE_ROOM} was expected")]
    names = [room.name for room in rooms]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [Problem("metadata.name", f"two rooms are called {name}") for name in twice]


def read_room(document: object, problems: list[Problem]) -> VoiceRoom | None:
    """One parsed document; None, with at least one new problem, when it is refused."""
    return read_document(_KIND, document, problems)


_KIND: Final = Kind(VOICE_ROOM, DNS_LABEL, VoiceRoomSpec, VoiceRoom)
