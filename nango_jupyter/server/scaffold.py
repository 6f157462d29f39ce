"""Writes a new integrations folder that works as it is."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from nango_jupyter.exceptions import NangoUsageError

__all__ = ["write_starter"]


def write_starter(folder: Path) -> list[str]:
    """Write the two YAML files and a sample action.

    Parameters
    ----------
    folder : Path
        Made if it doesn't exist.

    Returns
    -------
    list of str
        The files that were written, from the folder on.

    Raises
    ------
    NangoUsageError
        If one of them is there already, or can't be written; nothing is overwritten.
    """
    with as_file(files("nango_jupyter.samples") / "starter") as starter:
        contents = {
            path.relative_to(starter): path.read_bytes()
            for path in sorted(starter.rglob("*"))
            if path.suffix in (".yaml", ".py")
        }
    taken = [name.as_posix() for name in contents if (folder / name).exists()]
    if taken:
        raise NangoUsageError(
            f"{folder} has files already that would be written: {', '.join(taken)}",
            "Nothing was changed. Give a new folder.",
        )
    try:
        for name, content in contents.items():
            _write(folder / name, content)
    except OSError as error:
        raise NangoUsageError(f"{folder} can't be written: {error.strerror}") from None
    return [name.as_posix() for name in contents]


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:  # x: another may have just written it
        file.write(content)
