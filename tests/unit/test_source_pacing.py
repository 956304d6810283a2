"""How the mixer's source keeps time: nothing paces itself by relative sleeps.

A timer that sets itself again "in 20 ms" adds up every delay (half a millisecond a frame, here);
so does a loop around a sleep of 20 ms. Deadlines are absolute, and one module reads clocks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

MIXER = Path(__file__).parents[2] / "mixer" / "voiceroom_mixer"
SOURCES = sorted(MIXER.rglob("*.py"))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
LOOPS = (ast.While, ast.For, ast.AsyncFor)


def relative_pacing(source: str) -> list[str]:
    """What in ``source`` keeps time the wrong way, with its line."""
    return sorted(_faults(ast.parse(source), frozenset(), in_loop=False))


def _faults(node: ast.AST, enclosing: frozenset[str], in_loop: bool) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield from _fault_of_call(node, enclosing, in_loop)
    if isinstance(node, FUNCTIONS):
        enclosing |= {getattr(node, "name", "<lambda>")}
        in_loop = False
    for child in ast.iter_child_nodes(node):
        yield from _faults(child, enclosing, in_loop or isinstance(node, LOOPS))


def _fault_of_call(call: ast.Call, enclosing: frozenset[str], in_loop: bool) -> Iterator[str]:
    name = ast.unparse(call.func)
    if name == "time.sleep":
        yield f"line {call.lineno}: time.sleep"
    if name == "asyncio.sleep" and in_loop and not _yields_only(call):
        yield f"line {call.lineno}: a loop paced by asyncio.sleep"
    if name.endswith(".call_later") and len(call.args) > 1:
        again = {n for part in call.args[1:] for n in _names(part)} & enclosing
        if again:
            yield f"line {call.lineno}: {again.pop()} sets itself again by call_later"


def _yields_only(call: ast.Call) -> bool:
    return len(call.args) == 1 and ast.unparse(call.args[0]) == "0"


def _names(node: ast.AST) -> set[str]:
    found = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    return found | {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def clock_imports(source: str) -> list[str]:
    """Modules with clocks that ``source`` imports."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name == "time"]
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            found.append("time")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(MIXER)))
def test_no_module_paces_itself_by_relative_delays(path: Path) -> None:
    assert relative_pacing(path.read_text()) == []


def test_one_module_reads_clocks() -> None:
    readers = {p.relative_to(MIXER).as_posix() for p in SOURCES if clock_imports(p.read_text())}
    assert readers == {"edge/clock.py", "keeper.py"}  # the keeper imports nothing of ours


@pytest.mark.parametrize(
    "source",
    [
        "def tick(self):\n    self.loop.call_later(0.02, self.tick)",
        "def tick():\n    def send(): ...\n    loop.call_later(0.02, lambda: tick())",
        "async def f():\n    while True:\n        await asyncio.sleep(0.02)",
        "async def f():\n    for x in y:\n        if x:\n            await asyncio.sleep(period)",
        "import time\ntime.sleep(1)",
    ],
)
def test_the_lint_sees_relative_pacing(source: str) -> None:
    assert relative_pacing(source)


@pytest.mark.parametrize(
    "source",
    [
        "def arm(self):\n    self.loop.call_later(5, self.expire)",
        "def tick(self):\n    self.loop.call_at(self.next, self.tick)",
        "async def f():\n    while busy:\n        await asyncio.sleep(0)",
        "async def f():\n    await asyncio.sleep(1)",
        "while True:\n    async def g():\n        await asyncio.sleep(1)",
    ],
)
def test_the_lint_lets_one_shot_delays_pass(source: str) -> None:
    assert relative_pacing(source) == []
