"""What a call answers with: the server's answer, what was asked, and how it looks in a notebook."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.messages import NangoConnection, NangoMessageHandlerResult, UserId

if TYPE_CHECKING:
    import pandas

__all__ = ["NangoResult"]


@dataclass(frozen=True, eq=False, repr=False)
class NangoResult(NangoMessageHandlerResult):
    """A server's answer that knows what it answers, and draws itself in a notebook.

    Attributes
    ----------
    success, error_msg, return_value
        As in `NangoMessageHandlerResult`.
    request : str
        What was asked, such as ``crm.list-contacts`` or ``register crm``.
    user_id : str, int or None
    duration : float
        From the call to the answer, in seconds.
    is_action : bool
        Whether an action was run, which could have returned something.
    """

    request: str = field(default="", kw_only=True)
    user_id: UserId | None = field(default=None, kw_only=True)
    duration: float = field(default=0.0, kw_only=True)
    is_action: bool = field(default=False, kw_only=True)

    def to_pandas(self) -> pandas.DataFrame:
        """Return the value as a DataFrame: a row for each object of a list.

        The list may be the value itself, or the only list inside an object, as in
        ``{"contacts": […], "total": 2}``. A list of plain values makes one column, ``value``; a
        single object makes one row. Nested objects become columns such as ``address.city``.

        Raises
        ------
        NangoUsageError
            If the value holds no list or object, or several lists; or pandas is not installed.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError as error:
            if error.name != "pandas":
                raise
            raise NangoUsageError("pandas is not installed", "Run: %pip install pandas") from None
        rows = [
            asdict(row) if isinstance(row, NangoConnection) else row
            for row in _rows(self.return_value)
        ]
        if not all(isinstance(row, dict) for row in rows):
            return pd.DataFrame({"value": rows})
        return pd.json_normalize(rows)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        # Imported when first drawn: Jinja2 is not needed to send a request.
        from nango_jupyter.display import render_result

        return render_result(replace(self, return_value=_as_json(self.return_value)))


def _as_json(value: Any) -> Any:
    """Return connections as the JSON objects that they were."""
    if isinstance(value, list):
        return [item.to_wire() if isinstance(item, NangoConnection) else item for item in value]
    return value


def _rows(value: Any) -> list[Any]:
    """Find the list that a person means by "the rows" of a value."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise NangoUsageError(
            f"The value is {'nothing' if value is None else type(value).__name__}, not rows",
            "It is in result.return_value.",
        )
    lists = {name: item for name, item in value.items() if isinstance(item, list)}
    if len(lists) > 1:
        raise NangoUsageError(
            f"The value holds several lists: {', '.join(lists)}",
            "Choose one: pandas.json_normalize(result.return_value['NAME']).",
        )
    return next(iter(lists.values()), [value])
