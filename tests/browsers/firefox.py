"""The system's Firefox by WebDriver BiDi: each one with a fake microphone of its own tone."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

from browsers.bidi import Bidi
from browsers.loop import LoopThread
from browsers.roompage import RoomPage

START_S: Final = 40.0
COMMAND_S: Final = 30.0
POLL_S: Final = 0.05
_LISTENING: Final = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_PREFS: Final[dict[str, bool | int | str]] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.prefs.recommended": True,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


def executable() -> str:
    """Path of Firefox: ``VOICEROOM_FIREFOX``, or the one that is installed."""
    named = os.environ.get("VOICEROOM_FIREFOX")
    found = named or shutil.which("firefox-esr") or shutil.which("firefox")
    if not found:
        raise FileNotFoundError("no Firefox: apt-get install firefox-esr, or set VOICEROOM_FIREFOX")
    return found


class FirefoxTab:
    """The first tab of a Firefox as a ``Tab``."""

    def __init__(self, loop: LoopThread, bidi: Bidi, context: str) -> None:
        self._loop = loop
        self._bidi = bidi
        self._context = context

    def goto(self, url: str) -> None:
        self._send("browsingContext.navigate", url=url, wait="complete")

    def reload(self) -> None:
        self._send("browsingContext.reload", wait="complete")

    def evaluate(self, expression: str) -> Any:
        return self._run(self._bidi.evaluate(self._context, expression))

    def wait_for(self, expression: str, timeout_s: float = 15.0) -> Any:
        deadline = time.monotonic() + timeout_s
        while not (found := self.evaluate(expression)):
            if time.monotonic() > deadline:
                said = self.evaluate("document.getElementById('notice')?.innerText")
                raise AssertionError(f"not in {timeout_s} s: {expression}; notice {said!r}")
            time.sleep(POLL_S)
        return found

    def click(self, selector: str) -> None:
        element = self._element(selector)
        self.evaluate(f"({element}).click()")

    def fill(self, selector: str, text: str) -> None:
        element = self._element(selector)
        change = "new Event('input', {bubbles: true})"
        self.evaluate(
            f"((e) => {{ e.value = {json.dumps(text)}; e.dispatchEvent({change}); }})({element})"
        )

    def _element(self, selector: str) -> str:
        found = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(f"{found}?.checkVisibility() && !{found}.disabled")
        return found

    def _send(self, method: str, **params: Any) -> None:
        self._run(self._bidi.send(method, context=self._context, **params))

    def _run(self, work: Any) -> Any:
        return self._loop.run(work, COMMAND_S)


class Firefoxes:
    """Starts browsers, one for each person, and ends them all."""

    def __init__(self, folder: Path, ends: ExitStack, loop: LoopThread) -> None:
        self._folder = folder
        self._ends = ends
        self._loop = loop
        self._started = 0

    def person(self, hz: int) -> RoomPage:
        """A fresh Firefox with one tab, whose fake microphone plays ``hz``."""
        self._started += 1
        profile = self._folder / f"firefox-{self._started}"
        profile.mkdir()
        prefs = _PREFS | {"media.navigator.audio.fake_frequency": hz}
        lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in prefs.items())
        (profile / "user.js").write_text("".join(lines))
        log = self._ends.enter_context((self._folder / f"firefox-{self._started}.log").open("w+"))
        process = _start(profile, log)
        self._ends.callback(_end, process)
        bidi = self._loop.run(Bidi.connect(_address(process, log)), COMMAND_S)
        self._ends.callback(lambda: self._loop.run(bidi.close(), COMMAND_S))
        context = self._loop.run(bidi.first_context(), COMMAND_S)
        return RoomPage(FirefoxTab(self._loop, bidi, context))


@contextmanager
def firefoxes(folder: Path) -> Iterator[Firefoxes]:
    """Browsers for one test, all of them ended with it; ``folder`` holds profiles and logs."""
    with LoopThread() as loop, ExitStack() as ends:
        yield Firefoxes(folder, ends, loop)


def _start(profile: Path, log: IO[str]) -> subprocess.Popen[bytes]:
    command = [executable(), "--headless", "--no-remote", "--profile", str(profile)]
    command += ["--remote-debugging-port", "0"]
    environment = os.environ | {"MOZ_HEADLESS": "1", "HOME": str(profile)}
    return subprocess.Popen(
        command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
    )


def _address(process: subprocess.Popen[bytes], log: IO[str]) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        log.seek(0)
        if found := _LISTENING.search(log.read()):
            return found[1]
        time.sleep(POLL_S)
    log.seek(0)
    raise RuntimeError(f"Firefox does not listen ({process.poll()}): {log.read()[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """All of it: Firefox's helpers are in the session that we gave it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        print(f"Firefox {process.pid} had ended by itself")
    process.wait(10)
