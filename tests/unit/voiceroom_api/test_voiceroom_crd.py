"""The VoiceRoom CRD and its typed twin, field by field."""

from fakes.crds import filled, load, section, undescribed
from voiceroom_api.fields import to_dict
from voiceroom_api.names import PHASES, VERDICTS
from voiceroom_api.voiceroom import VoiceRoomSpec

CRD = load("voicerooms")
STATUS = CRD.part("status")["properties"]


def test_spec_and_twin_say_the_same() -> None:
    assert undescribed(CRD.part("spec")) == section(VoiceRoomSpec) | {"default": {}}


def test_defaults_of_the_crd_fill_to_the_twins_defaults() -> None:
    assert filled(CRD.part("spec"), {}) == to_dict(VoiceRoomSpec())


def test_subresources() -> None:
    assert CRD.version["subresources"] == {"status": {}}


def test_status_is_the_contracts() -> None:
    assert list(STATUS) == [
        "phase",
        "podName",
        "twinPodName",
        "nodeName",
        "epoch",
        "endpoint",
        "participants",
        "realtime",
        "timing",
        "moves",
        "observedGeneration",
        "conditions",
    ]
    assert tuple(STATUS["phase"]["enum"]) == PHASES
    assert tuple(STATUS["timing"]["properties"]["verdict"]["enum"]) == ("", *VERDICTS)
    moves = STATUS["moves"]["properties"]
    assert moves["history"]["maxItems"] == 10
    assert moves["history"]["items"]["properties"] == moves["last"]["properties"]
