"""The CRM: contacts with their deals, and notes about them.

::

    GET  /contacts?page=1&limit=20&city=Dublin   {"contacts": […], "page": 1, "pages": 2,
                                                  "total": 31, "next_page": 2}
    GET  /contacts/1001                          one contact, with its notes
    POST /contacts/1001/notes {"text": "…"}      {"id": 1, "contact_id": 1001, "text": "…"}
    GET  /deals?page=1&limit=20&stage=won        {"deals": […], "page": 1, …}
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from nango_jupyter.samples.api.paging import numbered_page
from nango_jupyter.samples.api.web import (
    Api,
    Handler,
    Refusal,
    Reply,
    Request,
    choice_in,
    load,
    text_in,
)

__all__ = ["CrmApi"]

_STAGES = ("lead", "offer", "won", "lost")
_MOST_TEXT = 1_000


class CrmApi(Api):
    """Contacts, deals and notes."""

    name = "crm"
    token = "crm-demo-token"  # noqa: S105 - published on purpose: it opens nothing but this

    def __init__(self) -> None:
        self._contacts = {one["id"]: one for one in load("contacts")}
        self._notes: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        """Return what can be asked for."""
        return [
            ("GET", "/contacts", self._list_contacts),
            ("GET", "/contacts/([0-9]{1,9})", self._get_contact),
            ("POST", "/contacts/([0-9]{1,9})/notes", self._add_note),
            ("GET", "/deals", self._list_deals),
        ]

    def _list_contacts(self, request: Request) -> Reply:
        city = request.query.get("city")
        contacts = self._contacts.values()
        chosen = [one for one in contacts if city in (None, one["address"]["city"])]
        return numbered_page(request, "contacts", chosen)

    def _get_contact(self, _: Request, number: str) -> Reply:
        contact = self._contact(number)
        with self._lock:
            notes = [one for one in self._notes if one["contact_id"] == contact["id"]]
        return Reply({**contact, "notes": notes})

    def _add_note(self, request: Request, number: str) -> Reply:
        contact, text = self._contact(number), text_in(request.body, "text", _MOST_TEXT)
        with self._lock:
            note = {"id": len(self._notes) + 1, "contact_id": contact["id"], "text": text}
            self._notes.append(note)
        return Reply(note, HTTPStatus.CREATED)

    def _list_deals(self, request: Request) -> Reply:
        stage = choice_in(request.query, "stage", _STAGES)
        deals = [
            {
                "contact_id": one["id"],
                "contact": one["name"],
                "company": one["company"],
                **deal,
            }
            for one in self._contacts.values()
            for deal in one["deals"]
            if stage in (None, deal["stage"])
        ]
        return numbered_page(request, "deals", deals)

    def _contact(self, number: str) -> dict[str, Any]:
        if int(number) not in self._contacts:
            raise Refusal(HTTPStatus.NOT_FOUND, f"there is no contact {int(number)}")
        return self._contacts[int(number)]
