"""Returns the connection that it runs for, without its credentials."""

from typing import Any

from nango_jupyter import NangoAction


class Whoami(NangoAction):
    async def execute_action(self, input: Any) -> dict[str, Any]:
        connection = self.get_current_connection()
        return {
            "uuid": connection.uuid,
            "integration": connection.integration,
            "userId": connection.user_id,
            "additionalConfig": connection.additional_config,
        }
