"""The JSON that people see."""

from __future__ import annotations

from fakes.building import building, claims, offer, run

PARTICIPANT = (
    "id identity kind role muted gainDb talking levelDbov jitterMs bufferMs targetMs lost"
    " concealed skewPpm rttMs via"
)


def test_a_participant_has_exactly_the_promised_fields_in_their_units() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join(claims("ann"))
            house.media.set(joined.leg, level=23, talking=1, jitter_us=4200, buffer_us=61000)
            house.media.set(joined.leg, target_us=60000, skew_ppb=-12500, rtt_us=30500)
            house.media.set(joined.leg, rx_lost=3, concealed_frames=5)
            shown = house.rooms.room_json("lobby")["participants"][0]
            assert list(shown) == PARTICIPANT.split()
            assert (shown["levelDbov"], shown["talking"]) == (-23, True)
            assert (shown["jitterMs"], shown["bufferMs"], shown["targetMs"]) == (4.2, 61.0, 60.0)
            assert (shown["skewPpm"], shown["rttMs"]) == (-12.5, 30.5)
            assert (shown["lost"], shown["concealed"]) == (3, 5)

    run(scenario)


def test_a_name_that_says_more_than_the_link_is_shown_beside_it() -> None:
    async def scenario() -> None:
        async with building() as house:
            named = await house.rooms.join(
                "lobby", claims("desk"), offer(), mode="whip", replaces=None, name="Ben"
            )
            house.key(named.leg)
            back = await house.join(claims("desk"), replaces=named.leg)
            same = await house.rooms.join(
                "lobby", claims("ann"), offer(), mode="whip", replaces=None, name="ann"
            )
            shown = {p["id"]: p for p in house.rooms.room_json("lobby")["participants"]}
            assert (shown[named.leg]["identity"], shown[named.leg]["name"]) == ("desk", "Ben")
            assert shown[back.leg]["name"] == "Ben", "who comes back is called the same"
            assert "name" not in shown[same.leg]
            told = [data.get("name") for _, kind, data in house.events if kind == "joined"]
            assert told == ["Ben", "Ben", None]

    run(scenario)


def test_debug_shows_everything_but_secrets() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join(claims("ann"))
            state = house.media.leg(joined.leg)
            shown = repr(house.rooms.debug_json("lobby"))
            assert state.local_ice is not None
            assert state.local_ice.ufrag in shown
            assert state.local_ice.pwd not in shown
            assert "'tx_index'" in shown

    run(scenario)


def test_the_list_of_rooms_counts_people() -> None:
    async def scenario() -> None:
        async with building() as house:
            old = await house.join(claims("ann"))
            await house.join(claims("ann"), replaces=old.leg)
            assert house.rooms.rooms_json() == [
                {
                    "name": "lobby",
                    "participants": 1,
                    "maxParticipants": 10,
                    "locked": False,
                    "muteAll": False,
                }
            ]

    run(scenario)
