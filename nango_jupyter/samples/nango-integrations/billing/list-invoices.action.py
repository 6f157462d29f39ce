from typing import Annotated, Any, Literal

from pydantic import Field

from nango_jupyter import LinkHeader, NangoHttpError, action


@action(idempotent=True)
async def list_invoices(
    ctx: Any,
    status: Annotated[
        Literal["paid", "open", "overdue"] | None, Field(description="All without it")
    ] = None,
    most: Annotated[int, Field(description="How many at most", ge=1, le=10_000)] = 500,
) -> list[Any]:
    """List the invoices, or those of one status, by their number.

    Input: ``{"status": "overdue", "most": 20}``, both optional.
    """
    invoices: list[Any] = []
    try:
        async for invoice in ctx.paginate("invoices", LinkHeader(), params={"status": status}):
            invoices.append(invoice)
            if len(invoices) == most:
                break
    except NangoHttpError as error:
        if error.response is not None and error.response.status_code == 401:
            raise PermissionError("billing refused the access token of this connection") from None
        raise
    ctx.logger.info("read %d invoices", len(invoices))
    return invoices
