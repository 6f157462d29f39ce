"""Nango in a notebook.

An async client (`Nango`), IPython magics (``%load_ext nango_jupyter``), and a local server
(`LocalServer`, ``nango-jupyter serve``). Names are imported when they are first used, so that
loading the extension costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nango_jupyter.batch import BatchItem, BatchResult
    from nango_jupyter.calls import TriggerCall
    from nango_jupyter.client import Nango
    from nango_jupyter.exceptions import (
        NangoClosedError,
        NangoConfigError,
        NangoConnectionError,
        NangoConnectionLostError,
        NangoError,
        NangoHttpError,
        NangoInputError,
        NangoKeyError,
        NangoProtocolError,
        NangoServerError,
        NangoTimeoutError,
        NangoUsageError,
    )
    from nango_jupyter.executions import Execution, LogLine
    from nango_jupyter.jobs import Job
    from nango_jupyter.local import LocalServer
    from nango_jupyter.messages import NangoConnection, NangoMessageHandlerResult
    from nango_jupyter.results import NangoResult, NangoTable
    from nango_jupyter.secrets import Secret
    from nango_jupyter.server import ActionContext, NangoAction, action
    from nango_jupyter.server.pagination import Cursor, LinkHeader, PageNumber
    from nango_jupyter.widgets.connect_form import ConnectForm
    from nango_jupyter.widgets.connections_view import ConnectionsView
    from nango_jupyter.widgets.history_view import HistoryView
    from nango_jupyter.widgets.panel import Panel
    from nango_jupyter.widgets.register_form import RegisterForm
    from nango_jupyter.widgets.trigger_form import TriggerForm

__version__ = "0.1.0"

__all__ = [
    "ActionContext",
    "BatchItem",
    "BatchResult",
    "ConnectForm",
    "ConnectionsView",
    "Cursor",
    "Execution",
    "HistoryView",
    "Job",
    "LinkHeader",
    "LocalServer",
    "LogLine",
    "Nango",
    "NangoAction",
    "NangoClosedError",
    "NangoConfigError",
    "NangoConnection",
    "NangoConnectionError",
    "NangoConnectionLostError",
    "NangoError",
    "NangoHttpError",
    "NangoInputError",
    "NangoKeyError",
    "NangoMessageHandlerResult",
    "NangoProtocolError",
    "NangoResult",
    "NangoServerError",
    "NangoTable",
    "NangoTimeoutError",
    "NangoUsageError",
    "PageNumber",
    "Panel",
    "RegisterForm",
    "Secret",
    "TriggerCall",
    "TriggerForm",
    "__version__",
    "action",
    "load_ipython_extension",
    "unload_ipython_extension",
]

_PLACES = {
    "ActionContext": "server",
    "BatchItem": "batch",
    "BatchResult": "batch",
    "ConnectForm": "widgets.connect_form",
    "ConnectionsView": "widgets.connections_view",
    "Cursor": "server.pagination",
    "Execution": "executions",
    "HistoryView": "widgets.history_view",
    "Job": "jobs",
    "LinkHeader": "server.pagination",
    "LocalServer": "local",
    "LogLine": "executions",
    "Nango": "client",
    "NangoAction": "server",
    "NangoConnection": "messages",
    "NangoMessageHandlerResult": "messages",
    "NangoResult": "results",
    "NangoTable": "results",
    "PageNumber": "server.pagination",
    "Panel": "widgets.panel",
    "RegisterForm": "widgets.register_form",
    "Secret": "secrets",
    "TriggerCall": "calls",
    "TriggerForm": "widgets.trigger_form",
    "action": "server",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{_PLACES.get(name, 'exceptions')}")
    except ModuleNotFoundError as error:
        from nango_jupyter.local import missing_extra

        raise missing_extra(error) from None
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Register the magics: called by ``%load_ext nango_jupyter``."""
    from nango_jupyter.magics import load

    load(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Close what the magics opened: called by ``%unload_ext nango_jupyter``."""
    from nango_jupyter.magics import unload

    unload(ipython)
