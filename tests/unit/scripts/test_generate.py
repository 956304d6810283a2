import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_generated_files_are_fresh() -> None:
    check = subprocess.run(
        [sys.executable, "scripts/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (check.returncode, check.stderr) == (0, "")
