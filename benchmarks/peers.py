"""The environment that holds the packages we are compared with: made by ``tools/peers.sh``."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["ROOT", "run_among_peers", "versions"]

ROOT = Path(__file__).resolve().parent.parent
_PLACE = ROOT / "build" / "peers"


def run_among_peers(module: str, *arguments: str) -> bool:
    """Run a module of ours in the peers' environment, unless this already is that one.

    Returns
    -------
    bool
        Whether it was run there: then there is nothing left to do here.
    """
    if Path(sys.prefix) == _PLACE:
        return False
    if not (_PLACE / "bin" / "python").exists():
        print("  There is no build/peers: make it with tools/peers.sh. Going on without peers.")
        return False
    command = [str(_PLACE / "bin" / "python"), "-m", module, *arguments]
    subprocess.run(command, cwd=ROOT, check=True)
    return True


def versions(*packages: str) -> str:
    """Return "Python 3.11.7, IPython 9.1.0" and so on, for the packages that are installed."""
    found = [f"Python {sys.version.split()[0]}"]
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
