"""Strategies for the body of a message: valid ones bent in every way, and what was never one."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from nango_jupyter.messages import REQUEST_KINDS

Bodies = st.SearchStrategy[bytes]

TEN_MB = 10_000_000
DEEPEST = 200_000

VALID: list[dict[str, Any]] = [
    {
        "action": "REGISTER_CONNECTION",
        "integration": "demo",
        "userId": "u1",
        "oAuthAccessToken": "t",
        "credentials": {"access_token": "t"},
        "additionalConfig": {"a": 1},
    },
    {
        "action": "TRIGGER_ACTION",
        "integration": "demo",
        "userId": "u1",
        "triggeredAction": "echo",
        "input": {"name": "ada", "age": 36},
    },
    {
        "action": "UPDATE_CONNECTION_CREDENTIALS",
        "integration": "demo",
        "userId": "u1",
        "credentials": {"access_token": "t"},
    },
    {
        "action": "UPDATE_CONNECTION_CONFIG",
        "integration": "demo",
        "userId": "u1",
        "additionalConfig": {"a": 1},
    },
    {"action": "GET_USER_ID_CONNECTIONS", "userId": "u1"},
    {"action": "GET_INTEGRATION_CONNECTIONS", "integration": "keyed"},
]
FIELDS = [*VALID[0], "triggeredAction", "input"]
ACTIONS = ["echo", "fail", "odd", "typed"]
WORDS = ["demo", "keyed", "u1", *ACTIONS, "../echo", "\0", "\ud800", *REQUEST_KINDS]
"""What a mutation puts into fields; the actions of these names are the tests' to write."""

SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=20)
    | st.sampled_from(WORDS)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda child: st.lists(child, max_size=4) | st.dictionaries(st.text(), child, max_size=4),
    max_leaves=12,
)
WRONG_TYPES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, -1, 1.5, float("nan"), "", "u1", [], ["u1"], {}, {"a": None}, [[]]]
)


def to_bytes(value: Any) -> bytes:
    """Write JSON, also what no JSON should hold: NaN, half characters, numbers without end."""
    return json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")


def _with_field(field: str, value: bytes) -> bytes:
    """Write a valid message with a field of any bytes."""
    valid = next(message for message in VALID if field in message)
    rest = {name: found for name, found in valid.items() if name != field}
    return to_bytes(rest)[:-1] + b', "%s": %s}' % (field.encode(), value)


def _changed(
    valid: Mapping[str, Any], changes: Mapping[str, Any], gone: set[str]
) -> dict[str, Any]:
    return {name: value for name, value in {**valid, **changes}.items() if name not in gone}


MUTATED: st.SearchStrategy[dict[str, Any]] = st.builds(
    _changed,
    st.sampled_from(VALID),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3),
    st.sets(st.sampled_from(FIELDS[1:]), max_size=1),
)

_WRONGLY_TYPED: st.SearchStrategy[dict[str, Any]] = st.builds(
    _changed,
    st.sampled_from(VALID),
    st.dictionaries(st.sampled_from(FIELDS), WRONG_TYPES, min_size=1, max_size=3),
    st.just(set()),
)

# With the name of an action and an input: all that can run, and for the typed one all that can't.
_TRIGGERS: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda action, value: {**VALID[1], "triggeredAction": action, "input": value},
    st.sampled_from(ACTIONS),
    st.fixed_dictionaries({}, optional={"name": SCALARS, "age": SCALARS, "more": VALUES}) | VALUES,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Overwrite, cut off or repeat some bytes of a valid message."""
    body = bytearray(to_bytes(draw(st.sampled_from(VALID))))
    place = st.integers(0, len(body) - 1)
    for _ in range(draw(st.integers(1, 3))):
        body[draw(place)] = draw(st.integers(0, 255))
    cut = draw(st.none() | place)
    again = draw(st.integers(1, 2))
    return bytes(body[:cut]) * again


@st.composite
def deep(draw: st.DrawFn) -> bytes:
    """Nest arrays and objects, closed or not, as the message or inside one."""
    opening, closing = draw(
        st.sampled_from([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]"), (b"[[],", b"]")])
    )
    limits = [(1, 400), (800, 1100), (1, 20_000), (DEEPEST // 2, DEEPEST)]
    depth = draw(st.sampled_from(limits).flatmap(lambda ends: st.integers(*ends)))
    end = draw(st.sampled_from([closing * depth, b"", closing]))
    value = opening * depth + draw(st.sampled_from([b"", b"1", b"null", b'"a"'])) + end
    field = draw(st.none() | st.sampled_from(FIELDS))
    return _with_field(field, value) if field else value


@st.composite
def large(draw: st.DrawFn) -> bytes:
    """Fill a message, or none, with up to 10 MB."""
    size = draw(st.sampled_from([100_000, 1_000_000, TEN_MB])) - draw(st.integers(0, 1000))
    piece = draw(st.sampled_from([b"x", "é".encode(), rb"\u0000", rb"\ud83d\ude00", b"\xff"]))
    text = b'"%s"' % (piece * (size // len(piece)))
    numbers = b"[%s1]" % (b"123456789," * (size // 10))
    keys = b"{%s}" % b",".join(b'"%07d":1' % number for number in range(size // 12))
    value = draw(st.sampled_from([text, numbers, keys]))
    field = draw(st.sampled_from([None, "input", "input", *FIELDS]))
    return _with_field(field, value) if field else value


@st.composite
def large_numbers(draw: st.DrawFn) -> bytes:
    """Put a number that hardly any computer holds into a field."""
    digits = b"9" * draw(st.integers(1, 6000))
    exponent = b"%d" % draw(st.integers(-400, 400))
    forms = [digits, b"-" + digits, b"1e" + exponent, digits + b"e" + exponent, b"0." + digits]
    odd = [b"NaN", b"Infinity", b"-Infinity", b"0x10", b"007", b"1_000", b"+1", b".5", b"1.", b"-"]
    value = draw(st.sampled_from(forms) | st.sampled_from(odd))
    return _with_field(draw(st.sampled_from(FIELDS)), value)


_PIECES = [
    *(rb"\ud800", rb"\udc00\ud800", rb"\u0000", rb"\u2028", rb"\ud83d\ude00", rb"\x", rb"\u12"),
    *(
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\0",
        b"\n",
        b"\x7f",
        b"\xe2\x82",
    ),
    *("\u202e".encode(), "e\u0301".encode(), "\ufeff".encode(), "\U000e0001".encode(), b"${HOME}"),
    *(b"../../etc/passwd", b"'; DROP TABLE connections; --", b"%s%n{0}", b"<script>", b"\x1b[31m"),
]
_ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "cp037"]


@st.composite
def odd_text(draw: st.DrawFn) -> bytes:
    """Put text that is hard to hold or to show into a field, or encode a message otherwise."""
    if draw(st.booleans()):
        text = json.dumps(draw(st.sampled_from(VALID)))
        return text.encode(draw(st.sampled_from(_ENCODINGS)))
    pieces = draw(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4))
    return _with_field(draw(st.sampled_from(FIELDS)), b'"%s"' % b"".join(pieces))


_USER_IDS: list[Any] = [
    *(1, 1.0, -0.0, 1.5, 1e308, 2**53, 2**63, -(2**63) - 1, 2**64, True, False, None, [], {}),
    *("", " ", "1", "1.0", "u1\0", "\ud800", "u" * 10_000, "é", "e\u0301", '"', "\\", "null"),
]


def _with_user_id(valid: dict[str, Any], user_id: Any) -> bytes:
    return to_bytes({**valid, "userId": user_id})


ODD_USER_IDS: Bodies = st.builds(
    _with_user_id, st.sampled_from(VALID), st.sampled_from(_USER_IDS) | SCALARS
)

_BYTES: Bodies = st.integers(0, 300).flatmap(lambda size: st.binary(min_size=size, max_size=size))

SHARES: Mapping[str, tuple[int, Bodies]] = {
    "valid messages, changed": (350, MUTATED.map(to_bytes)),
    "wrong types in every field": (200, _WRONGLY_TYPED.map(to_bytes)),
    "triggers with any input": (100, _TRIGGERS.map(to_bytes)),
    "random JSON": (70, VALUES.map(to_bytes)),
    "random bytes": (60, _BYTES),
    "valid messages, damaged": (80, damaged()),
    "deep nesting": (15, deep()),
    "large bodies": (2, large()),
    "large numbers": (23, large_numbers()),
    "odd text": (30, odd_text()),
    "odd user ids": (40, ODD_USER_IDS),
}
"""How many of 1,000 messages are of each sort; what is left of them has odd properties."""
