"""Values and rows as files."""

from __future__ import annotations

import csv
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

from nango_jupyter.conversion import to_json_value
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.frames.columns import column_text, flatten
from nango_jupyter.frames.convert import to_pandas, to_polars
from nango_jupyter.frames.packages import is_installed
from nango_jupyter.secrets import redact
from nango_jupyter.suggestions import did_you_mean

__all__ = ["check_target", "save", "to_json"]

_SUFFIXES = (".json", ".jsonl", ".csv", ".parquet")


def check_target(target: str | os.PathLike[str]) -> Path:
    """Return the path of a file to save to.

    Raises
    ------
    NangoUsageError
        If its name doesn't say in what format, its folder doesn't exist, or a package is missing.
    """
    path = Path(target).expanduser()
    shown = redact(ascii(str(path)))
    if path.suffix.lower() not in _SUFFIXES:
        hint = did_you_mean(path.suffix, _SUFFIXES) if path.suffix else ""
        raise NangoUsageError(
            f"{shown} does not end in one of {', '.join(_SUFFIXES)}",
            hint or "The end of the name chooses the format: result.json",
        )
    if path.is_dir():
        raise NangoUsageError(f"{shown} is a folder", "Give the name of a file in it.")
    if not path.parent.is_dir():
        folder = redact(ascii(str(path.parent)))
        raise NangoUsageError(f"There is no folder {folder}", "Make it first, or save elsewhere.")
    if path.suffix.lower() == ".parquet" and not _parquet_engine():
        raise NangoUsageError(
            "Parquet files need polars, or pandas with pyarrow", "Run: %pip install polars"
        )
    return path


def to_json(value: Any, indent: int | None = 2) -> str:
    """Return a value as JSON text; ``indent=None`` writes it on one line.

    Raises
    ------
    NangoUsageError
        If JSON can't hold it.
    """
    return json.dumps(to_json_value(value, "value"), ensure_ascii=False, indent=indent)


def save(
    target: str | os.PathLike[str], value: Any, rows: Callable[[], Sequence[Any]] | None = None
) -> Path:
    """Write a file, in the format that its name ends in: JSON, JSON lines, CSV or Parquet.

    A file that is there is replaced when the new one is complete, not before.

    Parameters
    ----------
    target : str or path
    value : JSON value
        What a JSON file holds.
    rows : callable, optional
        Returns what the other formats hold; only called for those. Without it, the value is a list
        of rows.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    NangoUsageError
        If the file can't be written, or can't hold the value.
    """
    path = check_target(target)
    content = value if path.suffix.lower() == ".json" or rows is None else rows()
    write = _WRITERS[path.suffix.lower()]
    try:
        with _replaced(path) as new:
            write(new, content)
    except OSError as error:
        raise NangoUsageError(
            f"{redact(ascii(str(path)))} can't be written: {error.strerror or error}",
            "Save it elsewhere.",
        ) from None
    return path


def _write_json(path: Path, value: Any) -> None:
    path.write_text(f"{to_json(value)}\n", encoding="utf-8", newline="\n")


def _write_lines(path: Path, rows: Sequence[Any]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for at, row in enumerate(rows):
            found = to_json_value(row, f"row {at}")
            file.write(f"{json.dumps(found, ensure_ascii=False)}\n")


def _write_csv(path: Path, rows: Sequence[Any]) -> None:
    columns = flatten(rows)
    cells = [list(map(_csv_cell, column)) for column in columns.values()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip_longest(*cells))


def _csv_cell(value: Any) -> Any:
    return value if isinstance(value, float) else column_text(value)


def _write_parquet(path: Path, rows: Sequence[Any]) -> None:
    if _parquet_engine() == "polars":
        to_polars(rows).write_parquet(path)
        return
    frame = to_pandas(rows)
    try:
        frame.to_parquet(path, index=False)
    # Of pyarrow: Parquet has one type to a column, and no objects without keys.
    except (TypeError, ValueError, OverflowError, NotImplementedError):
        for name in frame.columns:
            if frame[name].dtype == "object":
                frame[name] = frame[name].map(column_text)
        frame.to_parquet(path, index=False)


def _parquet_engine() -> str:
    if is_installed("polars"):
        return "polars"
    return "pandas" if is_installed("pandas") and is_installed("pyarrow") else ""


_WRITERS: dict[str, Callable[[Path, Any], None]] = {
    ".json": _write_json,
    ".jsonl": _write_lines,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Give a new file beside the path, which takes its place when all went well."""
    path = path.resolve()  # of a link, the file that it leads to
    new = path.with_name(f".nango-{secrets.token_hex(8)}{path.suffix}")
    try:
        new.touch(exist_ok=False)
        if path.exists():
            shutil.copymode(path, new)
        yield new
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
