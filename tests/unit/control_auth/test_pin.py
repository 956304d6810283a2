import pytest

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.auth.pin import PinDoor, hash_pin
from voiceroom_mixer.control.service import ApiError

T0_NS = 7 * NS_PER_S
PIN_HASH = hash_pin("4711")


def test_the_right_pin_passes_and_others_do_not() -> None:
    door = PinDoor()
    door.check("4711", PIN_HASH, "192.0.2.1", T0_NS)
    for i, wrong in enumerate(("4712", "", "47110", "４７１１")):
        with pytest.raises(ApiError) as caught:
            door.check(wrong, PIN_HASH, f"192.0.2.{i + 2}", T0_NS)
        assert (caught.value.status, caught.value.code) == (403, "wrong_pin")
    assert door.wrong == 4


def test_five_tries_a_minute_whatever_they_are() -> None:
    door = PinDoor()
    for _ in range(5):
        with pytest.raises(ApiError, match="the PIN is wrong"):
            door.check("0000", PIN_HASH, "192.0.2.1", T0_NS)
    with pytest.raises(ApiError) as caught:
        door.check("4711", PIN_HASH, "192.0.2.1", T0_NS)
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "12"})
    assert door.limited == 1
    door.check("4711", PIN_HASH, "192.0.2.1", T0_NS + 12 * NS_PER_S)
    door.check("4711", PIN_HASH, "192.0.2.2", T0_NS)


def test_a_room_without_a_pin() -> None:
    with pytest.raises(ApiError) as caught:
        PinDoor().check("", "", "192.0.2.1", T0_NS)
    assert (caught.value.status, caught.value.code) == (404, "no_pin")


def test_the_hash_is_salted_and_hides_the_pin() -> None:
    assert hash_pin("4711") != hash_pin("4711")
    assert hash_pin("4711", "ab") == hash_pin("4711", "ab")
    assert "4711" not in hash_pin("4711", "ab")


def test_a_pin_of_strange_characters_is_only_wrong() -> None:
    with pytest.raises(ApiError, match="wrong"):
        PinDoor().check("\udc80" * 5000, PIN_HASH, "192.0.2.1", T0_NS)
