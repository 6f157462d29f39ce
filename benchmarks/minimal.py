"""The least that an IPython extension can be: one class with one magic."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class

__all__ = ["MinimalMagics", "load_ipython_extension"]


@magics_class
class MinimalMagics(Magics):
    """A magic that returns its line."""

    @line_magic
    def minimal(self, line: str) -> str:
        """Return the line."""
        return line


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Register the magics: called by ``%load_ext benchmarks.minimal``."""
    ipython.register_magics(MinimalMagics)
