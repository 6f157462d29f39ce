from typing import Annotated, Any

from pydantic import Field

from nango_jupyter import action


@action(idempotent=True)
async def get_invoice(
    ctx: Any,
    number: Annotated[str, Field(description="As in INV-2026-0001", pattern=r"^INV-\d{4}-\d{4}$")],
) -> Any:
    """Fetch an invoice.

    Input: ``{"number": "INV-2026-0001"}``
    """
    response = await ctx.http_request(f"invoices/{number}")
    if response.status_code == 401:
        raise PermissionError("billing refused the access token of this connection")
    if response.status_code >= 500:
        raise RuntimeError(f"billing answered {response.status_code}: {response.json['error']}")
    if response.status_code != 200:
        raise RuntimeError(response.json["error"])
    return response.json()
