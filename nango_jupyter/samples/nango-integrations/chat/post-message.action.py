from typing import Annotated, Any

from pydantic import Field

from nango_jupyter import action


@action
async def post_message(
    ctx: Any,
    channel: Annotated[str, Field(description="As in #sales", min_length=1)],
    text: Annotated[str, Field(description="What to say", min_length=1, max_length=500)],
) -> Any:
    """Post a message to a channel.

    Input: ``{"channel": "#sales", "text": "Sold a rake!"}``
    """
    body = {"channel": channel, "text": text}
    response = await ctx.http_request("messages", "POST", body=body)
    if response.status_code == 401:
        raise PermissionError("the chat refused the access token of this connection")
    if response.status_code != 201:
        raise RuntimeError(response.json["error"])
    return response.json()
