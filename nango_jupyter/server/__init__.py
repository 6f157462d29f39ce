"""The local Nango server: an integrations folder, its actions, and a store of connections."""

from nango_jupyter.server.actions import ActionConnection, ActionContext, NangoAction
from nango_jupyter.server.definitions import action
from nango_jupyter.server.logs import LEVELS, ActionLogFormatter
from nango_jupyter.server.server import NangoServer

__all__ = [
    "LEVELS",
    "ActionConnection",
    "ActionContext",
    "ActionLogFormatter",
    "NangoAction",
    "NangoServer",
    "action",
]
