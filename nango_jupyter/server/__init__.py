"""The local Nango server: an integrations folder, its actions, and a store of connections."""

from nango_jupyter.server.actions import ActionConnection, NangoAction
from nango_jupyter.server.definitions import action
from nango_jupyter.server.logs import LEVELS, ActionLogFormatter
from nango_jupyter.server.server import NangoServer

__all__ = [
    "LEVELS",
    "ActionConnection",
    "ActionLogFormatter",
    "NangoAction",
    "NangoServer",
    "action",
]
