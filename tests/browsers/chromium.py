"""The system's Chromium by playwright: each browser with a fake microphone of its own."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import BrowserType, Page, ViewportSize, sync_playwright

from browsers.roompage import RoomPage
from browsers.tones import write_tone

Microphone = Literal["tone", "refused", "missing"]

_ARGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
)
POLL_MS: Final = 40
RAW_MICROPHONE: Final = """
if (navigator.mediaDevices) {
  const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
  const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  devices.getUserMedia = (wanted) => open({ ...wanted, audio: { ...wanted.audio, ...raw } });
}
"""
"""To a noise suppressor a tone is noise: measured levels need the microphone as it is."""
DESKTOP: Final = ViewportSize(width=1180, height=780)
PHONE: Final = ViewportSize(width=390, height=844)


def executable() -> str:
    """Path of Chromium: ``VOICEROOM_CHROMIUM``, or the one that is installed."""
    named = os.environ.get("VOICEROOM_CHROMIUM")
    found = named or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise FileNotFoundError("no Chromium: apt-get install chromium, or set VOICEROOM_CHROMIUM")
    return found


class ChromiumTab:
    """A playwright page as a ``Tab``."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._note(message.type, message.text))

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.errors.append(text)

    def goto(self, url: str) -> None:
        self.page.goto(url)

    def reload(self) -> None:
        self.page.reload()

    def evaluate(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def wait_for(self, expression: str, timeout_s: float = 15.0) -> Any:
        # polled from here: the page's Content-Security-Policy forbids playwright's own way
        deadline = time.monotonic() + timeout_s
        while not (found := self.page.evaluate(expression)):
            if time.monotonic() > deadline:
                raise AssertionError(self._never(expression, timeout_s))
            self.page.wait_for_timeout(POLL_MS)
        return found

    def _never(self, expression: str, timeout_s: float) -> str:
        said = self.page.locator("#notice").inner_text(timeout=1000)
        return f"not in {timeout_s} s: {expression}; notice {said!r}; errors {self.errors}"

    def click(self, selector: str) -> None:
        self.page.click(selector, timeout=10_000)

    def fill(self, selector: str, text: str) -> None:
        self.page.fill(selector, text, timeout=10_000)


class Chromiums:
    """Starts browsers, one for each person, and ends them all."""

    def __init__(self, kind: BrowserType, folder: Path) -> None:
        self._kind = kind
        self._folder = folder
        self._started = 0

    def person(
        self,
        hz: int = 0,
        *,
        microphone: Microphone = "tone",
        viewport: ViewportSize = DESKTOP,
        dark: bool = False,
    ) -> RoomPage:
        """A fresh browser with one tab, whose fake microphone plays ``hz`` (0: its own beeps)."""
        self._started += 1
        profile = self._folder / f"chromium-{self._started}"
        context = self._kind.launch_persistent_context(
            str(profile),
            executable_path=executable(),
            args=[*_ARGS, *self._microphone(microphone, hz)],
            viewport=viewport,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.add_init_script(RAW_MICROPHONE)
        return RoomPage(ChromiumTab(context.pages[0]))

    def _microphone(self, microphone: Microphone, hz: int) -> list[str]:
        if microphone == "missing":
            return ["--use-fake-ui-for-media-stream"]
        if microphone == "refused":
            return ["--use-fake-device-for-media-stream", "--deny-permission-prompts"]
        args = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
        if hz:
            path = write_tone(self._folder / f"tone-{hz}.wav", hz)
            args.append(f"--use-file-for-fake-audio-capture={path}")
        return args


@contextmanager
def chromiums(folder: Path) -> Iterator[Chromiums]:
    """Browsers for one test, all of them closed at its end; ``folder`` holds their profiles."""
    with sync_playwright() as playwright:
        yield Chromiums(playwright.chromium, folder)
