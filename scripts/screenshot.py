"""Makes docs/images/page.png: the page in real Chromium, in a room that really runs.

usage: scripts/screenshot.py [OUT.png]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from browsers.chromium import Chromiums, ChromiumTab, chromiums  # noqa: E402
from browsers.links import link  # noqa: E402
from harness.mixer import Mixer, running  # noqa: E402
from harness.party import Party  # noqa: E402

GATEWAYS: dict[str, float | None] = {"Berlin desk": 440.0, "Radia": None, "Edsger": None}


def shoot(mixer: Mixer, browsers: Chromiums, out: Path) -> None:
    """A moderator's view of a room with people from browsers and from gateways."""
    grace = browsers.person(620, viewport={"width": 1180, "height": 790})
    grace.enter(link(mixer, "Grace Hopper", "moderator"))
    ada = browsers.person(880).enter(link(mixer, "Ada Lovelace"))
    alan = browsers.person(microphone="missing").open(link(mixer, "Alan Turing", "listener"))
    alan.join().wait_state("live")
    party = Party(mixer)
    for name, hz in GATEWAYS.items():
        party.join(hz, name)
    grace.wait_people(3 + len(GATEWAYS))
    grace.options(ada.leg, ".volume")
    grace.tab.click("#panel summary")
    grace.tab.wait_for("document.querySelectorAll('.person[data-talking=true]').length >= 2")
    grace.tab.wait_for("document.querySelector('#figures dd').textContent !== '–'")
    assert isinstance(grace.tab, ChromiumTab)
    out.parent.mkdir(parents=True, exist_ok=True)
    grace.tab.page.screenshot(path=out)
    for leg in party.legs:
        leg.close()


def main(out: Path) -> None:
    """Start everything, take the picture, end everything."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as mixer,
        chromiums(Path(folder)) as browsers,
    ):
        shoot(mixer, browsers, out)
    print(f"wrote {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images" / "page.png")
