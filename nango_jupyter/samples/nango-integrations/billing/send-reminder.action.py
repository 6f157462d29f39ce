from typing import Annotated, Any

from pydantic import Field

from nango_jupyter import action


@action
async def send_reminder(
    ctx: Any,
    number: Annotated[str, Field(description="As in INV-2026-0010", pattern=r"^INV-\d{4}-\d{4}$")],
) -> Any:
    """Remind a customer of an invoice that is not paid.

    Input: ``{"number": "INV-2026-0010"}``
    """
    response = await ctx.http_request(f"invoices/{number}/reminders", "POST")
    if response.status_code == 401:
        raise PermissionError("billing refused the access token of this connection")
    if response.status_code != 201:
        raise RuntimeError(response.json["error"])
    return response.json()
