"""The IPython magics: ``%load_ext nango_jupyter``."""

from __future__ import annotations

import atexit

from IPython.core.interactiveshell import InteractiveShell

from nango_jupyter.magics.magics import NangoMagics

__all__ = ["load", "unload"]


def load(shell: InteractiveShell) -> None:
    """Register the magics, unless they are."""
    if "NangoMagics" in shell.magics_manager.registry:
        return
    magics = NangoMagics(shell)
    shell.register_magics(magics)
    atexit.register(magics.shut_down)


def unload(shell: InteractiveShell) -> None:
    """Close what the magics opened, and take them away."""
    magics = shell.magics_manager.registry.pop("NangoMagics", None)
    if magics is None:
        return
    magics.shut_down()
    atexit.unregister(magics.shut_down)
    for kind, names in magics.magics.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
