"""Strict JSON, both ways: what goes out is checked with its path, what comes in is standard."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, NoReturn

from nango_jupyter.exceptions import NangoInputError

__all__ = ["check_json", "decode", "dump", "encode"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_SURELY_WRITTEN = 2000  # bits of a number that every Python writes as text, whatever its limit
_HINTS = {
    "datetime": "Turn it into text: value.isoformat().",
    "date": "Turn it into text: value.isoformat().",
    "time": "Turn it into text: value.isoformat().",
    "Timestamp": "Turn it into text: value.isoformat().",
    "bytes": "Decode it, or turn it into text with base64.",
    "bytearray": "Decode it, or turn it into text with base64.",
    "set": "Turn it into a list: sorted(value).",
    "frozenset": "Turn it into a list: sorted(value).",
    "ndarray": "Turn it into a list: value.tolist().",
    "DataFrame": "Turn it into rows: json.loads(df.to_json(orient='records')).",
    "Series": "Turn it into a list: value.tolist().",
    "Decimal": "Turn it into a number or text: float(value) or str(value).",
    "UUID": "Turn it into text: str(value).",
    "Secret": "Pass tokens as the connection's token or credentials, not as input.",
}


def check_json(value: Any, name: str) -> None:
    """Make sure that JSON can hold a value as it is.

    Parameters
    ----------
    value : object
        Allowed are dict (with str keys), list, tuple, str, int, float, bool and None.
    name : str
        What the value is called in messages, such as ``input``.

    Raises
    ------
    NangoInputError
        A TypeError that names the path of the first value that JSON can't hold.
    """
    try:
        _check(value, name, set())
    except RecursionError:
        raise NangoInputError(f"{name} is nested too deeply", "Send flatter data.") from None


def _check(value: Any, path: str, parents: set[int]) -> None:
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, dict | list | tuple):
        if id(value) in parents:
            raise NangoInputError(f"{path} contains itself", "Break the cycle.")
        parents.add(id(value))
        for child, child_path in _children(value, path):
            _check(child, child_path, parents)
        parents.discard(id(value))
    elif type(value) is float:  # not numpy.float64, which is a float to isinstance
        if not math.isfinite(value):
            raise NangoInputError(f"{path} is {value}, which JSON has no word for", "Use None.")
    elif isinstance(value, int):
        _check_digits(value, path)
    elif value is not None:
        _refuse(value, path)


def _children(value: Any, path: str) -> Iterator[tuple[Any, str]]:
    if not isinstance(value, dict):
        for index, item in enumerate(value):
            yield item, f"{path}[{index}]"
        return
    for key, item in value.items():
        if not isinstance(key, str):
            raise NangoInputError(
                f"{path} has the key {key!r} of type {type(key).__name__}",
                "JSON keys are text: use str(key).",
            )
        child = f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key)}]"
        _check_text(key, child)
        yield item, child


def _check_text(text: str, path: str) -> None:
    if found := _SURROGATE.search(text):
        raise NangoInputError(
            f"{path} holds a lone surrogate, U+{ord(found[0]):04X}, at index {found.start()}",
            "It is not a character; text.encode('utf-8', 'replace').decode() drops it.",
        )


def _check_digits(number: int, path: str) -> None:
    try:
        if number.bit_length() > _SURELY_WRITTEN:
            str(number)
    except ValueError:  # sys.set_int_max_str_digits
        raise NangoInputError(f"{path} has more digits than Python writes", "Use text.") from None


def _refuse(value: Any, path: str) -> NoReturn:
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    article = "an" if name[0] in "aeio" else "a"
    raise NangoInputError(f"{path} is {article} {name}, which JSON can't hold", _hint(kind))


def _hint(kind: type) -> str:
    package = kind.__module__.partition(".")[0]
    if package == "numpy" and kind.__name__ != "ndarray":
        return "Turn it into a Python number: value.item()."
    # Of our own classes some have credentials in them, which a dict would show.
    if kind.__name__ not in _HINTS and package != __package__:
        if hasattr(kind, "model_dump"):
            return "Turn it into a dict: value.model_dump(mode='json')."
        if is_dataclass(kind):
            return "Turn it into a dict: dataclasses.asdict(value)."
    return _HINTS.get(kind.__name__, "Use dict, list, str, int, float, bool or None.")


def encode(value: Any, name: str) -> bytes:
    """Check a value as `check_json` does, and return it as compact UTF-8 JSON."""
    check_json(value, name)
    return dump(value)


def dump(value: Any) -> bytes:
    """Return a value that was checked as compact UTF-8 JSON.

    Raises
    ------
    NangoInputError
        For nesting deeper than Python can follow.
    """
    try:
        text = _ENCODER.encode(value)
    except (RecursionError, ValueError) as error:
        raise NangoInputError(f"The message can't be written as JSON: {error}") from None
    return text.encode()


def decode(body: bytes, *, mend: bool = False) -> Any:
    """Return the value of a UTF-8 JSON text.

    Parameters
    ----------
    body : bytes
    mend : bool
        Put U+FFFD in the place of half a surrogate pair, as JavaScript leaves when it cuts a
        text in the middle of an emoji.

    Raises
    ------
    ValueError
        If the bytes are not JSON, or JSON that Python can't hold (too deep, too many digits,
        NaN, 1e999, half a surrogate pair unless it is mended).
    """
    try:
        value = _DECODER.decode(body.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if b"\\u" in body and _holds_surrogate(value):
        if mend:
            return _mended(value)
        raise ValueError("it holds a lone surrogate, which is not a character")
    return value


def _finite(text: str) -> float:
    if math.isfinite(number := float(text)):
        return number
    raise ValueError(f"{text} is too large a number")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _holds_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _mended(value: Any) -> Any:
    halves = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
    return _DECODER.decode(halves.decode("utf-16", "replace"))


# Made once: json.dumps and json.loads make new ones for each call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)
