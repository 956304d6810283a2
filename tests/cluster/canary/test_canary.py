"""Grey release under a call: a good image, one that is slow, and one that is not there."""

from __future__ import annotations

from typing import Any

import pytest

from harness.drift import WHOLE, Call, a_call, throttled
from harness.voice import OFF, Voice, until

pytestmark = pytest.mark.timeout(420)
GATE: dict[str, Any] = {
    "lateness": {"window": "30s", "maxUs": 100_000, "minTicks": 1200},
    "jitter": {"window": "60s", "minShare": 0.2, "minSamples": 10},
    "recoveries": {"window": "1m", "minShare": 0},
    "observe": "30s",
    "deadline": "45s",
}
"""Of a test that has little time, on a machine that is busy with other things: of 300 ticks the
four that a pause of 80 ms takes would be enough to roll back."""
LIKE_THE_OTHERS = {"limits": WHOLE, "requests": {"cpu": "300m"}}
"""As pods of a call have them: half a CPU is used up for a moment when a room comes."""
TRIED = {"name": "TRIED", "value": "yes"}
PHASE_S = 150.0
ENDS = ("Promoted", "RolledBack")


def canary(voice: Voice, gate: dict[str, Any] | None = None, **spec: Any) -> None:
    """All rooms of the pool default, for the sake of the one with the call."""
    trial = {"of": "default", "percent": 100, "gate": GATE | (gate or {})}
    usual = {"env": [TRIED], "resources": LIKE_THE_OTHERS, "canary": trial}
    voice.pool("next", **(usual | spec))


def said(voice: Voice) -> dict[str, Any]:
    found: dict[str, Any] = (voice.get("mixerpool", "next").get("status") or {}).get("canary", {})
    return found


def phase(voice: Voice, wanted: str) -> dict[str, Any]:
    """Until it is in that phase, or in one that it does not leave."""
    try:
        until(lambda: said(voice).get("phase") in (wanted, *ENDS), PHASE_S, wanted)
    except AssertionError as error:
        raise AssertionError(f"{error}; it says {said(voice)}") from None
    found = said(voice)
    assert found["phase"] == wanted, found
    return found


def twin_of(voice: Voice) -> str:
    return str(voice.status("lobby").get("twinPodName", ""))


def is_at(call: Call, pool: str) -> None:
    """The call is in that pool, and goes on."""
    begin = f"voiceroom-{pool}-"
    until(lambda: call.pod.startswith(begin), 60, f"in the pool {pool}")
    call.goes_on()


def test_a_good_canary_is_promoted_and_nobody_rejoins(voice: Voice) -> None:
    with a_call(voice, remediation=OFF) as call:
        legs = {leg["id"] for leg in call.party.room()["participants"]}
        canary(voice)
        phase(voice, "Observing")
        is_at(call, "next")
        until(lambda: twin_of(voice).startswith("voiceroom-default-"), 60, "a twin that is tried")
        phase(voice, "Promoted")
        is_at(call, "default")
        spec = voice.get("mixerpool", "default")["spec"]
        assert spec["env"] == [TRIED]
        stay = [pod for pod in voice.pods().values() if "deletionTimestamp" not in pod["metadata"]]
        assert all(TRIED in pod["spec"]["containers"][0]["env"] for pod in stay)
        with voice.people("lobby") as party:
            assert {leg["id"] for leg in party.room()["participants"]} == legs
        assert {"CanaryObserving", "CanaryPromoting", "CanaryPromoted"} <= voice.reasons()


def test_a_slow_canary_is_rolled_back_and_the_call_goes_back(voice: Voice) -> None:
    with a_call(voice, remediation=OFF) as call:
        canary(voice, {"observe": "5m", "lateness": GATE["lateness"] | {"maxUs": 50_000}})
        phase(voice, "Observing")
        is_at(call, "next")
        with throttled(voice, call.pod):
            over = phase(voice, "RolledBack")
        # one that gets so little time may not answer any more either
        assert over["reason"] in ("LatenessAboveLimit", "NotReady"), over
        is_at(call, "default")
        assert "env" not in voice.get("mixerpool", "default")["spec"]
        assert "CanaryRolledBack" in voice.reasons()


def test_an_image_that_is_not_there_gets_no_room_and_is_rolled_back(voice: Voice) -> None:
    with a_call(voice, remediation=OFF) as call:
        pod = call.pod
        missing = {"image": "registry.invalid/voiceroom:none", "imagePullPolicy": "Never"}
        canary(voice, {"deadline": "20s"}, **missing)
        assert phase(voice, "Waiting")["reason"] == "WaitingForPod"
        over = phase(voice, "RolledBack")
        assert over["reason"] == "NotReady"
        assert call.pod == pod
        call.goes_on()
