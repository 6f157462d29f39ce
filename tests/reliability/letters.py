"""Generated messages with their AMQP properties, and who owes an answer to which."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.reliability.bodies import MUTATED, SHARES, VALID, to_bytes

_T = TypeVar("_T")

BATCH = 1000
ODD_PROPERTIES = "odd properties"


class ReplyTo(Enum):
    """Where a message asks the answer to go."""

    DIRECT = "direct reply-to"
    QUEUE = "a queue"
    NOBODY = "no address"
    NOWHERE = "an address that isn't there"


@dataclass(frozen=True)
class Letter:
    """One message; `properties` are those of `aio_pika.Message`."""

    sort: str
    body: bytes
    reply_to: ReplyTo = ReplyTo.DIRECT
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def is_answered(self) -> bool:
        return self.reply_to in (ReplyTo.DIRECT, ReplyTo.QUEUE)

    def __str__(self) -> str:
        start = self.body[:300]
        asked = f"{self.reply_to.value}, {self.properties}"
        return f"{self.sort}: {len(self.body)} bytes, {start!r}, {asked}"


_TEXTS = st.sampled_from(["", "x", "text/plain", "é", "\0", "A" * 255, "\U0001f600"])
_NUMBERS = st.integers(-(2**31), 2**31 - 1)
# The broker itself hangs up on a header that is no number.
_FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
_HEADERS = st.dictionaries(
    st.sampled_from(["x-death", "x", "é", "K" * 128]),
    st.recursive(
        st.booleans() | _NUMBERS | _FLOATS | _TEXTS | st.binary().map(bytearray),
        lambda child: st.dictionaries(st.sampled_from("ab"), child, max_size=2),
        max_leaves=4,
    ),
    max_size=3,
)
# Whole seconds of the AMQP time stamp: long gone, and far away.
_TIMES = st.sampled_from([0, 1, 1_000_000_000, 4_000_000_000]).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
_PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "correlation_id": st.none() | _TEXTS,
        "content_type": _TEXTS,
        "content_encoding": st.sampled_from(["gzip", "utf-16", "", "nonsense"]),
        # In seconds. Long enough that the broker drops none: what it drops gets no answer.
        "expiration": st.integers(600, 4_000_000),
        "timestamp": _TIMES,
        "priority": st.integers(0, 255),
        "type": _TEXTS,
        "app_id": _TEXTS,
        "message_id": _TEXTS,
        "headers": _HEADERS,
        "delivery_mode": st.sampled_from([1, 2]),
    },
)
_ODD: st.SearchStrategy[Letter] = st.builds(
    Letter,
    st.just(ODD_PROPERTIES),
    (st.sampled_from(VALID) | MUTATED).map(to_bytes),
    st.sampled_from(ReplyTo),
    _PROPERTIES,
)


def letters(count: int) -> Iterator[list[Letter]]:
    """Generate messages, a thousand at a time; the same ones each time."""
    for number in range(-(-count // BATCH)):
        yield _batch(number, min(BATCH, count - number * BATCH))


def _batch(number: int, size: int) -> list[Letter]:
    found: list[Letter] = []
    for sort, (share, bodies) in SHARES.items():
        found += [Letter(sort, body) for body in _examples(bodies, share * size // 1000, number)]
    # Hypothesis stops early where it knows no more examples.
    while len(found) < size:
        found += _examples(_ODD, size - len(found), number)
    random.Random(number).shuffle(found)
    return found


def _examples(strategy: st.SearchStrategy[_T], count: int, number: int) -> list[_T]:
    """Let Hypothesis make examples without testing each by itself: they are sent many at once."""
    found: list[_T] = []

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: _T) -> None:
        found.append(example)

    if count:
        collect()
    return found
