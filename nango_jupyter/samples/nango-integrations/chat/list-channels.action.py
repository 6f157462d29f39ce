from typing import Any

from nango_jupyter import action


@action(idempotent=True)
async def list_channels(ctx: Any) -> Any:
    """List the channels, archived ones as well.

    Input: ``{}``
    """
    response = await ctx.http_request("channels")
    if response.status_code == 401:
        raise PermissionError("the chat refused the access token of this connection")
    if response.status_code != 200:
        raise RuntimeError(response.json["error"])
    return response.json["channels"]
