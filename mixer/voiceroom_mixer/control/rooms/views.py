"""What people and operators see of rooms and legs, as JSON (contract §4)."""

from __future__ import annotations

from typing import Any

from voiceroom_mixer.control.rooms.registry import Leg, Room


def participant(leg: Leg) -> dict[str, Any]:
    """One leg: ``id identity kind role muted gainDb talking levelDbov jitterMs bufferMs targetMs
    lost concealed skewPpm rttMs via``; ``muted`` says whether it is heard, whoever muted it.

    ``name`` beside it is how the person asked to be called; nobody has vouched for it.
    """
    state, figures = leg.state, leg.figures()
    name = state.extra.get("name")
    shown = {
        "id": state.leg,
        "identity": state.identity,
        "kind": state.kind,
        "role": state.role,
        "muted": is_muted(leg),
        "gainDb": state.gain_db,
        "talking": figures.talking,
        "levelDbov": -figures.level,
        "jitterMs": figures.jitter_us / 1000,
        "bufferMs": figures.buffer_us / 1000,
        "targetMs": figures.target_us / 1000,
        "lost": figures.lost,
        "concealed": figures.concealed,
        "skewPpm": figures.skew_ppb / 1000,
        "rttMs": figures.rtt_us / 1000,
        "via": "direct",
    }
    return shown | {"name": name} if name else shown


def is_muted(leg: Leg) -> bool:
    """By its own mute, or by the room's, which holds for speakers and not for moderators."""
    return leg.state.muted or (leg.room.state.mute_all and leg.state.role == "speaker")


def people(room: Room) -> list[dict[str, Any]]:
    """Participants in the order of their joining; a replaced leg shows until it has gone."""
    return [participant(leg) for leg in room.legs.values()]


def summary(room: Room) -> dict[str, Any]:
    """One line of GET /rooms."""
    state = room.state
    return {
        "name": state.room,
        "participants": room.participants(),
        "maxParticipants": state.max_participants,
        "locked": state.locked,
        "muteAll": state.mute_all,
    }


def room_json(room: Room, ticks: dict[str, Any]) -> dict[str, Any]:
    """GET /rooms/{room}; ``ticks`` are the figures of its media process."""
    state = room.state
    return {
        "name": state.room,
        "locked": state.locked,
        "muteAll": state.mute_all,
        "maxParticipants": state.max_participants,
        "audio": {
            "frameMs": state.frame_ms,
            "talkers": state.talkers,
            "bitrateKbps": state.bitrate_kbps,
            "fec": state.fec,
            "dtx": state.dtx,
            "jitterBuffer": {"minMs": state.jitter_min_ms, "maxMs": state.jitter_max_ms},
        },
        "ticks": ticks,
        "participants": people(room),
    }


def debug_json(room: Room, ticks: dict[str, Any]) -> dict[str, Any]:
    """Everything per leg, keys and passwords left out."""
    return room_json(room, ticks) | {
        "mediaProcess": room.link.index,
        "slot": room.state.slot,
        "generation": room.state.generation,
        "legs": [_debug_leg(leg) for leg in room.legs.values()],
    }


def _debug_leg(leg: Leg) -> dict[str, Any]:
    state, columns = leg.state, leg.link.segment.columns
    adopted = leg.figures().adopted
    return participant(leg) | {
        "slot": state.slot,
        "generation": state.generation,
        "adopted": adopted,
        "participant": state.participant,
        "ssrc": state.ssrc,
        "sends": state.sends,
        "receives": state.receives,
        "payloadType": state.payload_type,
        "hears": dict(state.hears),
        "replaces": state.replaces,
        "iceUfrag": state.local_ice.ufrag if state.local_ice else "",
        "iceRestarts": state.ice_restarts,
        "srtpProfile": state.srtp.profile if state.srtp else None,
        "dtls": leg.handshake is not None,
        "address": leg.figures().address,
        "joinedMs": state.joined_ms,
        "columns": {n: int(c[state.slot]) for n, c in columns.items()} if adopted else {},
    }
