"""Schemas of inputs, in words."""

import enum
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from nango_jupyter.server.definitions import define
from nango_jupyter.server.schemas import input_lines


class Row(BaseModel):
    when: datetime


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


def one(ctx: Any, channel_id: Annotated[str, Field(description="Where\n  to.")]) -> None: ...


def two(ctx: Any, msg: str = "hé", *, rows: list[Row] | None = None) -> None: ...


def three(
    ctx: Any, day: date, colour: Colour, kind: Literal["a", 1], only: Literal["x"]
) -> None: ...


def four(
    ctx: Any,
    any_value: Any,
    row: Row,
    many: list[Any],
    some: dict[str, int],
    made: Annotated[list[int], Field(default_factory=list)],
    **rest: Any,
) -> None: ...


@pytest.mark.parametrize(
    ("function", "lines"),
    [
        (one, ["channel_id: string, required (Where to.)"]),
        (two, ['msg: string, default "hé"', "rows: array of Row or null, default null"]),
        (
            three,
            [
                "day: string (date), required",
                'colour: "red" or "blue", required',
                'kind: "a" or 1, required',
                'only: "x", required',
            ],
        ),
        (
            four,
            [
                "any_value: any JSON, required",
                "row: Row, required",
                "many: array, required",
                "some: object, required",
                "made: array of integer, optional",
                "and others",
            ],
        ),
    ],
)
def test_inputs_in_words(function: Callable[..., Any], lines: list[str]) -> None:
    schema = define(function, "x").input_schema
    assert schema is not None
    assert list(input_lines(schema)) == lines
