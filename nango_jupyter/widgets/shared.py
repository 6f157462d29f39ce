"""What forms share with the magics: the session, the kernel's event loop, and the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nango_jupyter.kernel_loop import KernelLoop
from nango_jupyter.session import Session

if TYPE_CHECKING:
    from nango_jupyter.magics.notebook import CellRun
    from nango_jupyter.preferences import Preferences

__all__ = ["Shared", "find_shared"]


class Shared(Protocol):
    """What a form works with: the `Notebook` of the magics is one."""

    @property
    def session(self) -> Session:
        """What is open, and what was triggered."""

    @property
    def loop(self) -> KernelLoop:
        """The loop on which clients live."""

    @property
    def preferences(self) -> Preferences:
        """The settings that a form does not say."""

    def running_cell(self) -> CellRun | None:
        """Return which cell runs in this thread, if one does."""


def find_shared() -> Shared:
    """Return what the magics of this notebook use; the extension is loaded if it is not.

    Raises
    ------
    NangoUsageError
        Outside of IPython.
    """
    from nango_jupyter.magics import find_notebook

    return find_notebook()
