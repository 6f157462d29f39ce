from typing import Annotated, Any

from pydantic import Field

from nango_jupyter import action


@action
async def add_note(
    ctx: Any,
    contact_id: Annotated[int, Field(description="As in 1001", ge=1, le=999_999_999)],
    text: Annotated[str, Field(description="What to write down", min_length=1, max_length=1000)],
) -> Any:
    """Write a note about a contact.

    Input: ``{"contact_id": 1001, "text": "Likes the new spades."}``
    """
    response = await ctx.http_request(f"contacts/{contact_id}/notes", "POST", body={"text": text})
    if response.status_code == 401:
        raise PermissionError("the CRM refused the access token of this connection")
    if response.status_code != 201:
        raise RuntimeError(response.json["error"])
    return response.json()
