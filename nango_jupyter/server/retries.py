"""Whether an answer is worth a second try, and how long to wait for it."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

__all__ = ["LONGEST_RETRY_AFTER", "backoff", "retry_after", "worth_a_retry"]

LONGEST_RETRY_AFTER = 60.0
"""In seconds. Who is told to wait longer gets the answer, and decides."""

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0


def worth_a_retry(response: httpx.Response) -> bool:
    """Tell whether to send a request again: the answer is that there were too many, or not now."""
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return True  # it was not carried out
    if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        return False
    # Without Retry-After it may be a gateway that speaks, and what is behind it may have done it.
    return response.request.method not in ("POST", "PATCH") or retry_after(response) is not None


def retry_after(response: httpx.Response) -> float | None:
    """Return how long the answer says to wait, in seconds; None if it doesn't say."""
    text = response.headers.get("Retry-After", "")
    try:
        seconds = float(text)
    except ValueError:
        return _until(text)
    return seconds if seconds >= 0 and math.isfinite(seconds) else None


def _until(text: str) -> float | None:
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def backoff(retry: int) -> float:
    """Return the wait before this retry, 1 being the first: twice the one before, more or less."""
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(retry - 1, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - so that many don't come at once
