"""Turns what Python has into JSON values: frames, arrays, times, dataclasses, pydantic models.

No package is imported for it: a DataFrame can only be one if its package is loaded already.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence, Set, Sized
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any

from nango_jupyter.exceptions import NangoInputError
from nango_jupyter.secrets import redact
from nango_jupyter.wire_json import check_json

__all__ = ["to_json_value"]

Converter = Callable[[Any, set[int]], Any]

_SMALL = 2**63
_OWN = "nango_jupyter"


def to_json_value(value: Any, name: str = "input") -> Any:
    """Return a Python value as JSON: dict, list, str, int, float, bool and None.

    Rows come out of a DataFrame (pandas or polars; the index is left out), lists out of Series,
    arrays, sets and whatever else has a length; text out of times (ISO), paths, UUIDs and
    decimals; objects out of mappings, dataclasses, pydantic models and named tuples. NaN and its
    kin are null.

    Parameters
    ----------
    value : object
    name : str
        What the value is called in messages, such as ``input``.

    Raises
    ------
    NangoInputError
        A TypeError that names the path of the first value that JSON can't hold.
    """
    try:
        return _convert(value, set())
    except _RefusalError as refusal:
        raise refusal.explain(name) from None
    except RecursionError:
        raise NangoInputError(f"{name} is nested too deeply", "Send flatter data.") from None
    except Exception as error:  # of the user's own classes
        reason = f"{type(error).__name__}: {redact(str(error))}"
        raise NangoInputError(f"{name} can't be turned into JSON: {reason}") from None


class _RefusalError(Exception):
    """A value that JSON can't hold; its path grows on the way out, so that paths cost nothing."""

    def __init__(self, value: Any, reason: str = "", hint: str = "") -> None:
        self.value, self.reason, self.hint = value, reason, hint
        self.path: list[str] = []  # the innermost step first

    def explain(self, name: str) -> NangoInputError:
        """Return the error that a person sees."""
        path = redact(name + "".join(reversed(self.path)))
        if self.reason:
            return NangoInputError(f"{path} {redact(self.reason)}", self.hint)
        try:
            check_json(self.value, path)  # knows what to say about most
        except NangoInputError as error:
            return error
        raise AssertionError(f"JSON holds a {type(self.value).__name__}")


def _convert(value: Any, parents: set[int]) -> Any:
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _checked(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if -_SMALL < value < _SMALL else _checked(value)
    if kind is float:
        return _finite(value)
    convert = _BY_TYPE.get(kind) or _FOUND.get(kind) or _converter(value)
    if id(value) in parents:
        raise _RefusalError(value, "contains itself", "Break the cycle.")
    parents.add(id(value))
    try:
        return convert(value, parents)
    finally:
        parents.discard(id(value))


def _converter(value: Any) -> Converter:
    for is_one, convert in _KINDS:
        if is_one(value):
            if len(_FOUND) >= _MOST_FOUND:  # a notebook makes its classes anew with each run
                _FOUND.clear()
            _FOUND[type(value)] = convert
            return convert
    raise _RefusalError(value, *_advice(value))


def _checked(value: Any) -> Any:
    """Refuse lone surrogates, and numbers of more digits than Python writes."""
    try:
        check_json(value, "")
    except NangoInputError:
        raise _RefusalError(value) from None
    return value


def _finite(value: float) -> float | None:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return None
    raise _RefusalError(value)


def _list(items: Iterable[Any], parents: set[int]) -> list[Any]:
    found: list[Any] = []
    try:
        for item in items:
            found.append(_convert(item, parents))  # noqa: PERF401 - its length is the path
    except _RefusalError as refusal:
        refusal.path.append(f"[{len(found)}]")
        raise
    return found


def _object(pairs: Iterable[tuple[Any, Any]], parents: set[int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in pairs:
        name = key if type(key) is str and key.isascii() else _key(key)
        if name in found:
            raise _RefusalError(found, f"has two keys that are {name!r} as text", "Rename one.")
        try:
            found[name] = _convert(item, parents)
        except _RefusalError as refusal:
            refusal.path.append(_step(name))
            raise
    return found


def _key(key: Any) -> str:
    """Return a key as text: as JSON writes it."""
    if isinstance(key, str) and not isinstance(key, Enum):
        return str(_checked(str(key)))
    if isinstance(key, tuple | frozenset | bytes):
        raise _RefusalError(
            key, f"has the key {key!r} of type {type(key).__name__}", "JSON keys are text."
        )
    plain = _convert(key, set())
    return plain if isinstance(plain, str) else _word(plain)


def _word(plain: Any) -> str:
    import json

    return json.dumps(plain, ensure_ascii=False)


def _step(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{_word(key)}]"


def _mapping(value: Mapping[Any, Any], parents: set[int]) -> dict[str, Any]:
    # A row's own columns may be called items or keys: only [] is sure.
    return _object(((key, value[key]) for key in value), parents)


def _dataclass(value: Any, parents: set[int]) -> dict[str, Any]:
    return _object(((one.name, getattr(value, one.name)) for one in fields(value)), parents)


def _model(value: Any, parents: set[int]) -> Any:
    if _has_secret(value.model_dump()):  # its mask would be sent in the place of what it hides
        raise _RefusalError(
            value,
            "holds a secret, which pydantic masks",
            "Pass tokens as the connection's token or credentials, not as input.",
        )
    return _convert(value.model_dump(mode="json"), parents)


def _has_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_secret, value.values()))
    if isinstance(value, list | tuple | Set):
        return any(map(_has_secret, value))
    return _is("pydantic", "SecretStr", "SecretBytes")(value)


def _set(value: Set[Any], parents: set[int]) -> list[Any]:
    try:
        items: Iterable[Any] = sorted(value)  # a set of text has another order in each process
    except TypeError:
        items = value
    return _list(items, parents)


def _frame(
    columns: Sequence[Any], column: Callable[[int], list[Any]], length: int
) -> list[dict[str, Any]]:
    """Return the rows of a frame, which is converted by column: they are of one type each."""
    names = [_column_name(name) for name in columns]
    if twice := {name for name in names if names.count(name) > 1}:
        raise _RefusalError(
            columns,
            f"has more than one column {min(twice)!r}",
            "Give each column a name of its own: df.columns = […].",
        )
    lists = []
    for index, name in enumerate(names):
        try:
            lists.append(column(index))
        except _RefusalError as refusal:
            refusal.path.insert(-1, _step(name))  # the row, which is last, stands before it
            raise
    if not lists:
        return [{} for _ in range(length)]
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


def _column_name(name: Any) -> str:
    if isinstance(name, tuple):  # columns of several levels
        return ".".join(_key(part) for part in name if part != "")
    return _key(name)


def _pandas_frame(frame: Any, parents: set[int]) -> list[dict[str, Any]]:
    def column(index: int) -> list[Any]:
        series = frame.iloc[:, index]
        items: list[Any] = series.tolist()
        # numpy's own integers and truth values need no second look.
        is_plain = (
            isinstance(series.dtype, sys.modules["numpy"].dtype) and series.dtype.kind in "biu"
        )
        return items if is_plain else _list(items, parents)

    if len(frame.columns) == 0:
        return _frame([], column, len(frame))
    return _frame(list(frame.columns), column, len(frame))


def _polars_frame(frame: Any, parents: set[int]) -> list[dict[str, Any]]:
    return _frame(
        frame.columns, lambda index: _list(frame.to_series(index).to_list(), parents), frame.height
    )


def _array(array: Any, parents: set[int]) -> Any:
    if array.dtype.names:
        names = array.dtype.names
        if array.ndim == 0:
            return _object(((name, array[name][()]) for name in names), parents)
        return _list(array, parents)
    if array.ndim == 0:
        return _convert(array.tolist() if array.dtype.kind in "biufO" else array[()], parents)
    # Python has no times as fine as numpy's, and no floats as long: those go one by one.
    by_list = array.dtype.kind in "biufUO" and array.dtype.char != "g"
    return _list(array.tolist() if by_list else array, parents)


def _numpy_scalar(value: Any, parents: set[int]) -> Any:
    if value.dtype.names:
        return _object(((name, value[name]) for name in value.dtype.names), parents)
    kind = value.dtype.kind
    if kind in "mM":
        return _numpy_time(value)
    if kind == "f":
        return _finite(float(value))
    if kind in "biu":
        return value.item()
    raise _RefusalError(value)


def _numpy_time(value: Any) -> str | None:
    numpy = sys.modules["numpy"]
    if numpy.isnat(value):
        return None
    if numpy.datetime_data(value.dtype)[0] in {"ns", "ps", "fs", "as"}:
        # Microseconds are the finest that Python has; what is finer, numpy writes itself.
        coarse = value.astype(f"{value.dtype.kind}8[us]")
        value = coarse if coarse == value else value
    plain = value.item()
    if isinstance(plain, timedelta):
        return _duration(plain)
    return plain.isoformat() if isinstance(plain, date) else str(value)


def _duration(value: timedelta) -> str:
    """Return a length of time as ISO 8601 has it: P1DT2H3M4.5S."""
    size = abs(value)
    hours, rest = divmod(size.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{size.microseconds:06}".rstrip("0") if size.microseconds else ""
    sign = "-" if value < timedelta() else ""
    return f"{sign}P{size.days}DT{hours}H{minutes}M{seconds}{fraction}S"


def _decimal(value: Any, _: set[int]) -> str | None:
    if value.is_nan():
        return None
    if value.is_infinite():
        raise _RefusalError(float(value))
    return str(value)


def _is(module: str, *names: str) -> Callable[[Any], bool]:
    """Return a check for classes of a package that may not be there."""

    def check(value: Any) -> bool:
        package = sys.modules.get(module)
        return package is not None and any(
            isinstance(value, kind) for name in names if (kind := getattr(package, name, None))
        )

    return check


def _is_missing(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and any(
        value is vars(pandas).get(name, ...) for name in ("NA", "NaT")
    )


def _is_result(value: Any) -> bool:
    return _is_own(value) and hasattr(value, "return_value")


def _is_record(value: Any) -> bool:
    """Tell whether it is a dataclass; of our own, some have credentials in them."""
    is_open = not _is_own(value) or type(value).__name__ == "NangoConnection"
    return is_dataclass(value) and not isinstance(value, type) and is_open


def _is_own(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == _OWN


def _instance(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _is_sized(value: Any) -> bool:
    return isinstance(value, Iterable) and isinstance(value, Sized) and not _is_bytes(value)


_is_bytes = _instance(bytes, bytearray, memoryview)


def _advice(value: Any) -> tuple[str, str]:
    """Say what to do about a value, where wire_json doesn't know it."""
    name = type(value).__name__
    if name == "LazyFrame":
        return f"is a {name}, which JSON can't hold", "Collect it: value.collect()."
    if isinstance(value, Iterable) and not _is_bytes(value) and not isinstance(value, type):
        return f"is a {name}, which JSON can't hold", "Turn it into a list: list(value)."
    if isinstance(value, memoryview):
        return f"is a {name}, which JSON can't hold", "Decode it, or use base64."
    if callable(value):
        return f"is a {name}, which JSON can't hold", "Call it: value()."
    return "", ""


_BY_TYPE: dict[type, Converter] = {
    dict: lambda value, parents: _object(value.items(), parents),
    list: _list,
    tuple: _list,
    datetime: lambda value, _: value.isoformat(),
}
_FOUND: dict[type, Converter] = {}
_MOST_FOUND = 1_000
# The first that fits: a Timestamp is a datetime, and NaT says so too.
_KINDS: tuple[tuple[Callable[[Any], bool], Converter], ...] = (
    (_is_missing, lambda *_: None),
    (_instance(Enum), lambda value, parents: _convert(value.value, parents)),
    (_instance(str), lambda value, _: _checked(str.__str__(value))),
    (_instance(int), lambda value, _: _checked(int(value))),
    (_instance(float), lambda value, _: _finite(float(value))),
    (_instance(date, time), lambda value, _: value.isoformat()),
    (_instance(timedelta), lambda value, _: _duration(value)),
    (_is("decimal", "Decimal"), _decimal),
    (_instance(PurePath), lambda value, _: _checked(str(value))),
    (_is("uuid", "UUID"), lambda value, _: str(value)),
    (_is_result, lambda value, parents: _convert(value.return_value, parents)),
    (_is("pandas", "DataFrame"), _pandas_frame),
    (_is("pandas", "Period", "Interval"), lambda value, _: str(value)),
    (_is("polars", "DataFrame"), _polars_frame),
    (_is("polars", "Series"), lambda value, parents: _list(value.to_list(), parents)),
    (
        _is("pyarrow", "Table", "RecordBatch", "Array", "ChunkedArray"),
        lambda value, parents: _list(value.to_pylist(), parents),
    ),
    (_is("numpy", "ndarray"), _array),
    (_is("numpy", "generic"), _numpy_scalar),
    (_is("pydantic", "BaseModel"), _model),
    (_instance(Mapping), _mapping),
    (
        lambda value: isinstance(value, tuple) and hasattr(value, "_fields"),
        lambda value, parents: _object(zip(value._fields, value, strict=True), parents),
    ),
    (_is_record, _dataclass),
    (_instance(Set), _set),
    (_is_sized, _list),
)
