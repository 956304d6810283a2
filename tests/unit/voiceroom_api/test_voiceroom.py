import textwrap

import pytest

from voiceroom_api.problems import InvalidDocument, Problem
from voiceroom_api.voiceroom import VoiceRoom, VoiceRoomSpec, load_documents

HEAD = "apiVersion: voiceroom.dev/v1alpha1\nkind: VoiceRoom\nmetadata: {name: lobby}\n"


def load(spec: str) -> VoiceRoom:
    (room,) = load_documents(HEAD + textwrap.dedent(spec), "room.yaml")
    return room


def refusal(text: str) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        load_documents(text, "room.yaml")
    return str(caught.value).splitlines()


def test_a_room_needs_only_a_name() -> None:
    assert load("") == VoiceRoom(name="lobby", spec=VoiceRoomSpec())
    assert load("").spec.audio.jitter_buffer.max_ms == 200
    assert load("").spec.access.token_ttl_s == 3600


def test_every_field_is_read() -> None:
    room = load(
        """
        spec:
          poolName: gold
          placement: Dedicated
          maxParticipants: 12
          audio:
            frameMs: 10
            talkers: 0
            bitrateKbps: 64
            fec: false
            dtx: no
            jitterBuffer: {minMs: 80, maxMs: 80}
          access: {tokenTtl: 1h30m, pinSecretRef: {name: pins, key: lobby.pin}}
          locked: true
          remediation: {mode: "Off", paused: {reason: recording}}
        """
    )
    assert room.spec.to_dict() == {
        "poolName": "gold",
        "placement": "Dedicated",
        "maxParticipants": 12,
        "audio": {
            "frameMs": 10,
            "talkers": 0,
            "bitrateKbps": 64,
            "fec": False,
            "dtx": False,
            "jitterBuffer": {"minMs": 80, "maxMs": 80},
        },
        "access": {"tokenTtl": "1h30m", "pinSecretRef": {"name": "pins", "key": "lobby.pin"}},
        "locked": True,
        "remediation": {"mode": "Off", "paused": {"reason": "recording"}},
    }
    assert room.spec.access.token_ttl_s == 5400


def test_nothing_given_and_null_are_the_same() -> None:
    assert load("spec: {audio: {frameMs: , jitterBuffer: null}, access: ~}") == load("")
    assert load("spec:") == load("")


def test_what_kubernetes_adds_is_no_problem() -> None:
    text = HEAD.replace("{name: lobby}", "{name: lobby, namespace: a, uid: b, labels: {c: d}}")
    (room,) = load_documents(text + "status: {phase: Ready}\n", "room.yaml")
    assert (room.namespace, room.labels) == ("a", {"c": "d"})


def test_every_problem_is_told_with_its_path() -> None:
    spec = "spec: {audio: {frameMs: 25, talkrs: 2, fec: maybe}, maxParticipants: 0, extra: 1}"
    assert refusal(HEAD + spec) == [
        "room.yaml: spec.extra: unknown field; known are access, audio, locked, maxParticipants, "
        "placement, poolName, remediation",
        "room.yaml: spec.maxParticipants: must be a whole number from 1 to 1000 (got 0)",
        "room.yaml: spec.audio.talkrs: unknown field; did you mean talkers?",
        "room.yaml: spec.audio.frameMs: must be one of 10, 20, 40 (got 25)",
        "room.yaml: spec.audio.fec: must be true or false (got 'maybe')",
    ]


@pytest.mark.parametrize(
    ("spec", "path", "words"),
    [
        ("{maxParticipants: 1001}", "spec.maxParticipants", "from 1 to 1000 (got 1001)"),
        ("{maxParticipants: true}", "spec.maxParticipants", "(got true)"),
        ("{maxParticipants: '5'}", "spec.maxParticipants", "(got '5')"),
        ("{maxParticipants: 2.5}", "spec.maxParticipants", "(got 2.5)"),
        ("{maxParticipants: 010}", "spec.maxParticipants", "(got '010')"),
        ("{MaxParticipants: 5}", "spec.MaxParticipants", "did you mean maxParticipants?"),
        ("{poolName: A_b}", "spec.poolName", "must be a DNS label"),
        ("{placement: shared}", "spec.placement", "one of Shared, Dedicated (got 'shared')"),
        ("{audio: []}", "spec.audio", "must be a mapping (got a list)"),
        ("{audio: {talkers: 17}}", "spec.audio.talkers", "from 0 to 16"),
        ("{audio: {talkers: -1}}", "spec.audio.talkers", "from 0 to 16"),
        ("{audio: {bitrateKbps: 7}}", "spec.audio.bitrateKbps", "from 8 to 128"),
        ("{audio: {jitterBuffer: {minMs: 9}}}", "spec.audio.jitterBuffer.minMs", "10 to 500"),
        ("{audio: {jitterBuffer: {minMs: 201}}}", "spec.audio.jitterBuffer", "minMs must not be"),
        ("{access: {tokenTtl: 59s}}", "spec.access.tokenTtl", "from 1m to 24h"),
        ("{access: {tokenTtl: 25h}}", "spec.access.tokenTtl", "from 1m to 24h"),
        ("{access: {tokenTtl: 60}}", "spec.access.tokenTtl", "(got 60)"),
        ("{access: {pinSecretRef: {name: a}}}", "spec.access.pinSecretRef.key", "is required"),
        ("{remediation: {mode: Off}}", "spec.remediation.mode", 'so write "Off" (got false)'),
        ("{remediation: {paused: {reason: ''}}}", "spec.remediation.paused.reason", "1 to 256"),
        ("[]", "spec", "must be a mapping"),
    ],
)
def test_refuses_a_field(spec: str, path: str, words: str) -> None:
    (line,) = refusal(f"{HEAD}spec: {spec}")
    assert line.startswith(f"room.yaml: {path}: ")
    assert words in line


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (HEAD.replace("v1alpha1", "v1"), "apiVersion"),
        (HEAD.replace("kind: VoiceRoom", "kind: Pod"), "kind"),
        (HEAD.replace("{name: lobby}", "{}"), "metadata.name"),
        (HEAD.replace("{name: lobby}", "lobby"), "metadata"),
        (HEAD.replace("lobby", "Lobby"), "metadata.name"),
        (HEAD.replace("lobby", "a" * 64), "metadata.name"),
        (HEAD.replace("lobby", "a.b"), "metadata.name"),
        (HEAD.replace("name: lobby", "name: lobby, labels: {a: true}"), "metadata.labels.a"),
        (HEAD.replace("name: lobby", "name: lobby, nmae: x"), "metadata.nmae"),
        (HEAD + "spce: {}", "spce"),
    ],
)
def test_refuses_a_head(text: str, path: str) -> None:
    (line,) = refusal(text)
    assert line.startswith(f"room.yaml: {path}: ")


def test_several_documents_are_told_apart() -> None:
    second = HEAD.replace("lobby", "attic")
    assert [room.name for room in load_documents(f"{HEAD}---\n{second}---\n", "f")] == [
        "lobby",
        "attic",
    ]
    (line,) = refusal(f"{HEAD}---\n{second}spec: {{locked: 1}}")
    assert line == "room.yaml: document 2: spec.locked: must be true or false (got 1)"


def test_two_rooms_of_one_name_are_refused() -> None:
    assert refusal(f"{HEAD}---\n{HEAD}") == ["room.yaml: metadata.name: two rooms are called lobby"]


@pytest.mark.parametrize("text", ["", "---\n---\n", "# nothing\n"])
def test_a_file_without_a_room_is_refused(text: str) -> None:
    assert refusal(text) == ["room.yaml: holds no document; a VoiceRoom was expected"]


def test_problems_can_be_read_by_programs() -> None:
    with pytest.raises(InvalidDocument) as caught:
        load_documents(HEAD + "spec: {locked: 1}", "f")
    assert caught.value.problems == [Problem("spec.locked", "must be true or false (got 1)")]
