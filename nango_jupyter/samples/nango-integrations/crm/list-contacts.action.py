"""Lists all contacts, page by page: ``{"limit": 20, "city": "Dublin"}``, both optional."""

from typing import Any

from nango_jupyter import NangoAction


class ListContacts(NangoAction):
    async def execute_action(self, input: Any) -> dict[str, Any]:
        wanted = input or {}
        config = self.get_current_connection().additional_config or {}
        query = {
            "limit": wanted.get("limit", config.get("page_size", 20)),
            "city": wanted.get("city"),
        }
        contacts: list[Any] = []
        page, pages = 1, 0
        while page is not None:
            found = await self.get_page({**query, "page": page})
            contacts += found["contacts"]
            page, pages = found["next_page"], pages + 1
        self.logger.info("read %d contacts from %d pages", len(contacts), pages)
        return {"contacts": contacts, "pages": pages}

    async def get_page(self, query: dict[str, Any]) -> Any:
        response = await self.http_request("contacts", params=query)
        if response.status_code == 401:
            raise PermissionError("the CRM refused the access token of this connection")
        if response.status_code != 200:
            raise RuntimeError(f"the CRM answered {response.status_code}: {response.text}")
        return response.json()
