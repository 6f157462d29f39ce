"""Billing: invoices, and reminders of those that nobody paid.

::

    GET  /invoices?page=1&limit=20&status=open   […], with the header Link: <…>; rel="next"
    GET  /invoices/INV-2026-0001                 one invoice
    POST /invoices/INV-2026-0010/reminders       {"number": …, "sent_to": …, "reminders": 1}

Three invoices are there for what can go wrong when they are asked for one by one:
INV-2026-0013 always ends in 500, INV-2026-0021 in 503 with ``Retry-After: 1`` the first time,
and INV-2026-0034 takes two seconds.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from nango_jupyter.samples.api.paging import linked_page
from nango_jupyter.samples.api.web import Api, Handler, Refusal, Reply, Request, choice_in, load

__all__ = ["BillingApi"]

_STATUSES = ("paid", "open", "overdue")
_NUMBER = "(INV-[0-9]{4}-[0-9]{4})"

_BROKEN = "INV-2026-0013"
_BUSY = "INV-2026-0021"
_SLOW, _SECONDS = "INV-2026-0034", 2.0


class BillingApi(Api):
    """Invoices and reminders."""

    name = "billing"
    token = "billing-demo-token"  # noqa: S105 - published on purpose: it opens nothing but this

    def __init__(self) -> None:
        self._invoices = {one["number"]: one for one in load("invoices")}
        self._contacts = {one["id"]: one for one in load("contacts")}
        self._asked_for: Counter[str] = Counter()
        self._reminders: Counter[str] = Counter()
        self._lock = threading.Lock()

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        """Return what can be asked for."""
        return [
            ("GET", "/invoices", self._list_invoices),
            ("GET", f"/invoices/{_NUMBER}", self._get_invoice),
            ("POST", f"/invoices/{_NUMBER}/reminders", self._send_reminder),
        ]

    def _list_invoices(self, request: Request) -> Reply:
        status = choice_in(request.query, "status", _STATUSES)
        invoices = self._invoices.values()
        return linked_page(request, [one for one in invoices if status in (None, one["status"])])

    def _get_invoice(self, _: Request, number: str) -> Reply:
        invoice = self._invoice(number)
        with self._lock:
            self._asked_for[number] += 1
            is_first = self._asked_for[number] == 1
        if number == _BROKEN:
            raise Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong here")
        if number == _BUSY and is_first:
            message = "try again in a second"
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": "1"})
        if number == _SLOW:
            time.sleep(_SECONDS)
        return Reply(invoice)

    def _send_reminder(self, _: Request, number: str) -> Reply:
        invoice = self._invoice(number)
        if invoice["status"] == "paid":
            raise Refusal(HTTPStatus.CONFLICT, f"{number} is paid: no reminder is sent")
        contact = self._contacts[invoice["contact_id"]]
        if not contact["email"]:
            message = f"{number}: {contact['name']} has no e-mail address"
            raise Refusal(HTTPStatus.CONFLICT, message)
        with self._lock:
            self._reminders[number] += 1
            count = self._reminders[number]
        value = {"number": number, "sent_to": contact["email"], "reminders": count}
        return Reply(value, HTTPStatus.CREATED)

    def _invoice(self, number: str) -> dict[str, Any]:
        if number not in self._invoices:
            raise Refusal(HTTPStatus.NOT_FOUND, f"there is no invoice {number}")
        return self._invoices[number]
