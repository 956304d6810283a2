"""Keys of a pool are exchanged under a call."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode

import pytest

from harness.listening import goes_on, until_heard
from harness.rundelay import watching_for_starvation
from harness.voice import Voice, until

pytestmark = pytest.mark.timeout(300)
ADA_HZ = 620.0
PATIENT = {"jitterBuffer": {"minMs": 120, "maxMs": 200}}
MOUNTED_S = 120
"""A kubelet brings a Secret's new content into its pods within about a minute."""


@pytest.mark.timing
def test_join_keys_are_rotated_without_a_dropped_call(voice: Voice) -> None:
    voice.room("lobby", audio=PATIENT)
    voice.ready("lobby")
    with voice.people("lobby") as party, watching_for_starvation(voice):
        party.dial(ADA_HZ, "ada", host=voice.here)
        bob = party.join(None, "bob", host=voice.here)
        until_heard(bob, ADA_HZ)
        at, old = len(bob.heard), voice.keys()
        fresh = {"kid": "fresh", "secret": b64encode(secrets.token_bytes(32)).decode()}
        keys = {"keys": [fresh | {"use": "join"}, *json.loads(old)["keys"]]}
        data = {"keys.json": b64encode(json.dumps(keys).encode()).decode()}
        voice.kubectl(
            "patch", "secret", "voiceroom-default", "--type=merge", "-p", json.dumps({"data": data})
        )
        door = voice.door("lobby")
        token = door.sign("listener")
        until(lambda: door.call("GET", "/rooms/lobby", token)[0] == 200, MOUNTED_S, "taken")
        assert door.call("GET", "/rooms/lobby", party.token)[0] == 200  # the old key still verifies
        goes_on(bob, at, ADA_HZ)


def test_a_pools_secret_deleted_by_hand_comes_back_and_rooms_go_on(voice: Voice) -> None:
    voice.room("lobby")
    voice.ready("lobby")
    uids = voice.uids()
    voice.kubectl("delete", "secret", "voiceroom-default")
    until(lambda: "voiceroom-default" in _secrets(voice), 60, "made again")
    voice.room("another")
    voice.ready("another", within_s=MOUNTED_S)
    assert voice.uids().items() >= uids.items()


def _secrets(voice: Voice) -> set[str]:
    return {secret["metadata"]["name"] for secret in voice.all("secrets")}
