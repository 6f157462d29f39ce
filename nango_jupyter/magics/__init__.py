"""The IPython magics: ``%load_ext nango_jupyter``."""

from __future__ import annotations

import atexit

from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics import matching
from nango_jupyter.magics.defining import ActionMagics
from nango_jupyter.magics.forms import FormMagics
from nango_jupyter.magics.help import write_help
from nango_jupyter.magics.magics import NangoMagics
from nango_jupyter.magics.notebook import Notebook
from nango_jupyter.magics.triggering import TriggerMagics

__all__ = ["find_notebook", "load", "unload"]

_CLASSES = tuple(write_help(one) for one in (NangoMagics, TriggerMagics, ActionMagics, FormMagics))


def load(shell: InteractiveShell) -> None:
    """Register the magics, unless they are."""
    if NangoMagics.__name__ in shell.magics_manager.registry:
        return
    notebook = Notebook(shell)
    shell.register_magics(*(magics(notebook) for magics in _CLASSES))
    matching.register(notebook)
    atexit.register(notebook.shut_down)


def find_notebook() -> Notebook:
    """Return what the magics of this notebook share; register them, unless they are.

    Raises
    ------
    NangoUsageError
        Outside of IPython.
    """
    shell = get_ipython()
    if shell is None:
        raise NangoUsageError(
            "Forms need a notebook", "In a program, use the async client: nango_jupyter.Nango."
        )
    load(shell)
    notebook: Notebook = shell.magics_manager.registry[NangoMagics.__name__].notebook
    return notebook


def unload(shell: InteractiveShell) -> None:
    """Close what the magics opened, and take them away."""
    registry = shell.magics_manager.registry
    if NangoMagics.__name__ not in registry:
        return
    notebook = registry[NangoMagics.__name__].notebook
    notebook.shut_down()
    matching.unregister(shell)
    atexit.unregister(notebook.shut_down)
    for magics in (registry.pop(one.__name__) for one in _CLASSES):
        if magics in shell.configurables:
            shell.configurables.remove(magics)
        for kind, names in magics.magics.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
