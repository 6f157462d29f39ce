"""Programs in an interpreter of their own: nesting patches asyncio for good."""

import subprocess
import sys
import textwrap


def run_program(program: str, *arguments: str) -> str:
    """Run it with warnings as errors, to its last line, which prints ``fine``.

    Returns
    -------
    str
        What it wrote to standard error.
    """
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "fine" in done.stdout
    return done.stderr
