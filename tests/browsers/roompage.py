"""The page as a person uses it: join, look, listen, press. Works over any ``Tab``."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final

from browsers.driver import Tab
from browsers.tones import Pcm, from_int16, rms_db, tone_db

EAR: Final = (Path(__file__).parent / "ear.js").read_text()
HEARD_DB: Final = -40.0
"""A tone above this is heard; the tones that we make arrive at about -15."""
UNHEARD_DB: Final = -60.0


class RoomPage:
    """One person's page."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    def open(self, url: str) -> RoomPage:
        """Open a join link; the form, or a notice, is there afterwards."""
        self.tab.goto(url)
        self.tab.wait_for("window.voiceroom !== undefined")
        return self

    def join(self, name: str = "", *, muted: bool = False, button: str = "#join-go") -> RoomPage:
        """Fill in the form and press; does not wait for the call."""
        if name:
            self.tab.fill("#name", name)
        if muted:
            self.tab.click("#join-muted")
        self.tab.click(button)
        return self

    def enter(self, url: str, name: str = "") -> RoomPage:
        """Open, join, and be in the call."""
        self.open(url).join(name)
        self.wait_state("live")
        return self

    @property
    def state(self) -> str:
        """Of the call: idle, joining, live, restarting, reconnecting, ended."""
        return str(self.tab.evaluate("window.voiceroom.state"))

    @property
    def leg(self) -> str:
        """The id of my leg."""
        return str(self.tab.evaluate("window.voiceroom.leg"))

    def wait_state(self, state: str, timeout_s: float = 20.0) -> None:
        """Until the call is in that state."""
        self.tab.wait_for(f"window.voiceroom.state === {json.dumps(state)}", timeout_s)

    def people(self) -> list[dict[str, Any]]:
        """Participants as this page knows them."""
        found: list[dict[str, Any]] = self.tab.evaluate("window.voiceroom.people")
        return found

    def wait_people(self, count: int, timeout_s: float = 10.0) -> None:
        """Until the page shows that many people."""
        self.tab.wait_for(f"document.querySelectorAll('.person').length === {count}", timeout_s)

    def stats(self) -> dict[str, Any]:
        """The page's digest of getStats."""
        found: dict[str, Any] = self.tab.evaluate("window.voiceroom.stats()")
        return found

    def notice(self) -> str:
        """The code of the notice that is shown, or an empty string."""
        return str(self.tab.evaluate("document.getElementById('notice').dataset.code ?? ''"))

    def wait_notice(self, code: str, timeout_s: float = 15.0) -> None:
        """Until that notice is shown."""
        shown = "document.getElementById('notice').dataset.code"
        self.tab.wait_for(f"{shown} === {json.dumps(code)}", timeout_s)

    def begin_listening(self) -> None:
        """Record what the page plays from now on."""
        self.tab.evaluate(EAR)
        self.tab.evaluate("window.ear.begin()")

    def wait_listened(self, seconds: float) -> None:
        """Until that much has been recorded."""
        self.tab.wait_for(f"window.ear.seconds >= {seconds}", seconds + 15.0)

    def end_listening(self, seconds: float = 0.0) -> Pcm:
        """All that it has played since, once that is at least ``seconds``."""
        self.wait_listened(seconds)
        return from_int16(base64.b64decode(self.tab.evaluate("window.ear.end()")))

    def heard(self, seconds: float = 1.0) -> Pcm:
        """What the page plays in the next ``seconds``."""
        self.begin_listening()
        return self.end_listening(seconds)

    def wait_tone(self, hz: int, *, heard: bool = True, tries: int = 12) -> Pcm:
        """Listen until the tone is there (or gone, with ``heard`` false); what was heard last."""
        for _ in range(tries):
            pcm = self.heard(0.5)
            if (tone_db(pcm, hz) > HEARD_DB) if heard else (tone_db(pcm, hz) < UNHEARD_DB):
                return pcm
        want = "to hear" if heard else "no more to hear"
        raise AssertionError(
            f"wanted {want} {hz} Hz: {tone_db(pcm, hz):.1f} dB of it, {rms_db(pcm):.1f} dB in all"
        )

    def options(self, leg: str, press: str) -> None:
        """Open the options of a person and press one of them."""
        row = f'.person[data-id="{leg}"]'
        if not self.tab.evaluate(f"document.querySelector('{row} .options').checkVisibility()"):
            self.tab.click(f"{row} .more")
        self.tab.click(f"{row} {press}")
