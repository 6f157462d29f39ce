"""What the server's tests share: a folder made on the spot, and short ways to ask."""

import json
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from nango_jupyter.messages import NangoMessageHandlerResult
from nango_jupyter.server import NangoServer

INTEGRATIONS = """
integrations:
    demo:
        auth: {auth_mode: OAUTH2}
    keyed:
        auth: {auth_mode: API_KEY}
    signed:
        auth: {auth_mode: OAUTH1}
    basic:
        auth: {auth_mode: USERNAME_PASSWORD}
"""


def write_folder(folder: Path, integrations: str = INTEGRATIONS, server: str = "") -> Path:
    """Write the two YAML files."""
    folder.mkdir(exist_ok=True)
    (folder / "integrations.yaml").write_text(dedent(integrations))
    if server:
        (folder / "nango-config.yaml").write_text(dedent(server))
    return folder


def write_action(folder: Path, name: str, body: str, *, head: str = "async def") -> Path:
    """Write the file of the action INTEGRATION/ACTION whose method has this body."""
    method = f"    {head} execute_action(self, input):\n{indent(dedent(body).strip(), ' ' * 8)}\n"
    text = f"from nango_jupyter import NangoAction\n\nclass Action(NangoAction):\n{method}"
    return write_file(folder, name, text)


def write_file(folder: Path, name: str, text: str) -> Path:
    """Write an action file as it is."""
    path = folder / f"{name}.action.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return path


async def ask(
    server: NangoServer, kind: str, *, redelivered: Any = False, **fields: Any
) -> NangoMessageHandlerResult:
    """Send a request with these fields of the wire, and read the reply."""
    body = json.dumps({"action": kind, **fields}).encode()
    return NangoMessageHandlerResult.decode(await server.handle(body, redelivered=redelivered))


async def register(
    server: NangoServer, integration: str = "demo", user_id: Any = "u1", **fields: Any
) -> None:
    """Register a connection, for OAUTH2 with a token if nothing else is said."""
    fields = fields or {"oAuthAccessToken": "token-of-u1"}
    result = await ask(
        server, "REGISTER_CONNECTION", integration=integration, userId=user_id, **fields
    )
    assert result.success, result.error_msg


async def trigger(
    server: NangoServer, name: str, input_value: Any = None, user_id: Any = "u1", **options: Any
) -> NangoMessageHandlerResult:
    """Trigger the action INTEGRATION/ACTION."""
    integration, _, action = name.partition("/")
    fields = {"integration": integration, "triggeredAction": action, "userId": user_id}
    return await ask(server, "TRIGGER_ACTION", **fields, input=input_value, **options)


async def error_of(server: NangoServer, name: str, input_value: Any = None) -> str:
    """Trigger an action that fails, and return what the reply says."""
    result = await trigger(server, name, input_value)
    assert not result.success
    assert result.error_msg
    return result.error_msg
