"""What the tests need of a browser's tab, whichever browser it is."""

from __future__ import annotations

from typing import Any, Protocol


class Tab(Protocol):
    """One tab with one page. Times are in seconds; what does not come in time raises."""

    def goto(self, url: str) -> None:
        """Open a page and wait until it is loaded."""

    def reload(self) -> None:
        """Load it again, as the person would."""

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""

    def wait_for(self, expression: str, timeout_s: float = 15.0) -> Any:
        """The value of ``expression`` once it is true; ``AssertionError`` when it never is."""

    def click(self, selector: str) -> None:
        """Press the element."""

    def fill(self, selector: str, text: str) -> None:
        """Write into the field."""
