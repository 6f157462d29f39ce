"""The action greet of the integration demo: ``{"name": "Ada", "times": 2}``."""

from typing import Annotated, Any

from pydantic import Field

from nango_jupyter import action


@action
async def greet(
    ctx: Any,
    name: Annotated[str, Field(description="Who is greeted")],
    times: Annotated[int, Field(description="How often", ge=1, le=10)] = 1,
) -> dict[str, Any]:
    """Greet somebody in the name of the connection's user."""
    ctx.logger.info("greeting %s", name)
    user = ctx.get_current_connection().user_id
    return {"greeting": ", ".join(["hello"] * times) + f", {name}!", "from": user}
