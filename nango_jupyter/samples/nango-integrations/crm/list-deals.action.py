from typing import Annotated, Any, Literal

from pydantic import Field

from nango_jupyter import NangoHttpError, PageNumber, action


@action(idempotent=True)
async def list_deals(
    ctx: Any,
    stage: Annotated[
        Literal["lead", "offer", "won", "lost"] | None, Field(description="All without it")
    ] = None,
    most: Annotated[int, Field(description="How many at most", ge=1, le=10_000)] = 100,
) -> list[Any]:
    """List the deals of all contacts, or those of one stage.

    Input: ``{"stage": "won", "most": 20}``, both optional.
    """
    deals: list[Any] = []
    pages = ctx.paginate("deals", PageNumber(pages="pages"), "deals", params={"stage": stage})
    try:
        async for deal in pages:
            deals.append(deal)
            if len(deals) == most:
                break
    except NangoHttpError as error:
        if error.response is not None and error.response.status_code == 401:
            raise PermissionError("the CRM refused the access token of this connection") from None
        raise
    ctx.logger.info("read %d deals", len(deals))
    return deals
