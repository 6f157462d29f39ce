from typing import Annotated, Any

from pydantic import Field

from nango_jupyter import Cursor, NangoHttpError, action


@action(idempotent=True)
async def list_messages(
    ctx: Any,
    channel: Annotated[str, Field(description="As in #sales", min_length=1)],
    most: Annotated[int, Field(description="How many at most", ge=1, le=10_000)] = 50,
) -> list[Any]:
    """List the messages of a channel, the newest first.

    Input: ``{"channel": "#sales", "most": 20}``
    """
    messages: list[Any] = []
    query = {"channel": channel}
    try:
        async for message in ctx.paginate(
            "messages", Cursor("next_cursor"), "messages", params=query
        ):
            messages.append(message)
            if len(messages) == most:
                break
    except NangoHttpError as error:
        if error.response is None:
            raise
        if error.response.status_code == 401:
            raise PermissionError("the chat refused the access token of this connection") from None
        raise RuntimeError(error.response.json["error"]) from None
    return messages
