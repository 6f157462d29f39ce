from typing import Annotated, Any

from pydantic import Field

from nango_jupyter import action


@action(idempotent=True)
async def get_contact(
    ctx: Any,
    contact_id: Annotated[int, Field(description="As in 1001", ge=1, le=999_999_999)],
) -> Any:
    """Fetch a contact, with address, deals and notes.

    Input: ``{"contact_id": 1001}``
    """
    response = await ctx.http_request(f"contacts/{contact_id}")
    if response.status_code == 401:
        raise PermissionError("the CRM refused the access token of this connection")
    if response.status_code != 200:
        raise RuntimeError(response.json["error"])
    return response.json()
