"""Rows of JSON values as frames and files.

Neither pandas nor polars is imported before a frame of it is asked for.
"""

from nango_jupyter.frames.convert import to_pandas, to_polars
from nango_jupyter.frames.packages import check_package
from nango_jupyter.frames.paths import find_rows, find_value
from nango_jupyter.frames.saving import check_target, save, to_json

__all__ = [
    "check_package",
    "check_target",
    "find_rows",
    "find_value",
    "save",
    "to_json",
    "to_pandas",
    "to_polars",
]
