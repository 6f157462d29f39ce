"""Fields of JSON schemas: those that pydantic makes, and what strangers write."""

from __future__ import annotations

import datetime
import enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from nango_jupyter.widgets.fields import FieldError, schema_fields
from nango_jupyter.widgets.fields.groups import GroupField, ListField, OptionalField


class Color(enum.Enum):
    RED = "red"
    ONE = 1


class Address(BaseModel):
    street: str
    city: str = "Berlin"


class Node(BaseModel):
    name: str
    below: list[Node] = []


def fields(schema: Any) -> GroupField:
    found = schema_fields(schema, lambda: None)
    assert found is not None
    return found


def of(kind: Any, **more: Any) -> GroupField:
    """The fields of a model with one property, x."""
    model: Any = type("M", (BaseModel,), {"__annotations__": {"x": kind}, **more})
    return fields(model.model_json_schema())


def control(group: GroupField, name: str = "x") -> Any:
    field: Any = group.fields[name]
    return getattr(field, "inner", field).control


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (str, "hi", "hi"),
        (int, " 12 ", 12),
        (int, "-3", -3),
        (int, str(10**30), 10**30),
        (int, "2.0", 2),
        (float, "1.5", 1.5),
        (float, "1e3", 1000.0),
        (float, "7", 7),
        (bool, True, True),
        (Color, 1, 1),
        (Literal["a", "b"], 1, "b"),
        (Literal[1, "1"], 0, 1),
        (Literal[1, "1"], 1, "1"),
        (datetime.date, datetime.date(2026, 11, 25), "2026-11-25"),
        (datetime.datetime, "2026-11-25T12:00:00+01:00", "2026-11-25T12:00:00+01:00"),
        (datetime.time, "12:30", "12:30"),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (int | str, '"a"', "a"),
        (Any, "[1]", [1]),
    ],
)
def test_what_is_typed_is_the_value(kind: Any, typed: Any, value: Any) -> None:
    group = of(kind)
    control(group).value = typed
    found = group.read()
    assert found == {"x": value}
    assert type(found["x"]) is type(value)
    again = of(kind)
    again.set(found)
    assert again.read() == found


@pytest.mark.parametrize(
    ("kind", "typed", "message"),
    [
        (str, "", "x is required"),
        (int, "", "x is required"),
        (int, "1.5", "x must be a whole number"),
        (int, "many", "x must be a whole number"),
        (float, "nan", "x must be a number"),
        (float, "1,5", "x must be a number"),
        (Annotated[int, Field(ge=1, le=10)], "11", "x must be at least 1 and at most 10"),
        (Annotated[float, Field(gt=0)], "0", "x must be more than 0"),
        (Annotated[int, Field(multiple_of=5)], "12", "x must be a multiple of 5"),
        (Annotated[str, Field(min_length=3)], "ab", "x must have 3 characters at least"),
        (Annotated[str, Field(max_length=3)], "abcd", "x must have 3 characters at most"),
        (Annotated[str, Field(pattern="^C")], "D", "x must fit the pattern ^C"),
        (Literal["a", "b"], None, "x is required"),
        (datetime.date, None, "x is required"),
        (datetime.datetime, "today", "x must look like 2026-11-25T14:30:00+01:00"),
        (dict[str, int], "{", "line 1, column 2"),
        (dict[str, int], '{"a": 1,\n "b" 2}', "line 2, column 6"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(kind: Any, typed: Any, message: str) -> None:
    group = of(kind)
    control(group).value = typed
    with pytest.raises(FieldError) as caught:
        group.read()
    assert message in str(caught.value)
    wrong = group.fields["x"]._wrong  # type: ignore[attr-defined]
    assert message.replace("'", "&#x27;") in wrong.value
    assert wrong.layout.display is None


def test_all_that_is_wrong_is_shown_at_once() -> None:
    group = fields(Address.model_json_schema() | {"required": ["street", "city"]})
    group.fields["city"].set("")
    with pytest.raises(FieldError, match="street is required, and 1 more to mend"):
        group.read()


def test_it_is_checked_as_one_types() -> None:
    changes: list[int] = []
    schema = {"properties": {"n": {"type": "integer", "maximum": 5}}, "required": ["n"]}
    group = schema_fields(schema, lambda: changes.append(1))
    assert group is not None
    wrong = group.fields["n"]._wrong  # type: ignore[attr-defined]
    control(group, "n").value = "6"
    assert "must be at most 5" in wrong.value
    control(group, "n").value = "4"
    assert wrong.value == ""
    assert changes == [1, 1]
    group.set({"n": 3})
    assert changes == [1, 1]


def test_defaults_are_filled_in_and_sent() -> None:
    assert of(str, x="hi").read() == {"x": "hi"}
    assert of(list[int], x=[1, 2]).read() == {"x": [1, 2]}
    assert of(bool, x=True).read() == {"x": True}
    assert of(Address, x=Address(street="Main")).read() == {
        "x": {"street": "Main", "city": "Berlin"}
    }


@pytest.mark.parametrize(
    ("kind", "more", "off"),
    [
        (str | None, {"x": None}, {}),
        (str | None, {}, {"x": None}),
        (Address | None, {"x": None}, {}),
        (list[str] | None, {}, {"x": None}),
        (Literal["a", "b"] | None, {"x": None}, {}),
    ],
)
def test_what_is_optional_has_a_switch(kind: Any, more: Any, off: Any) -> None:
    group = of(kind, **more)
    field = group.fields["x"]
    assert isinstance(field, OptionalField)
    assert group.read() == off
    field.switch.value = True
    if kind == str | None:
        assert field.inner.control.disabled is False  # type: ignore[attr-defined]
        field.inner.set("yes")
        assert group.read() == {"x": "yes"}
    group.set({})
    assert field.switch.value is False


def test_a_default_that_may_be_null() -> None:
    group = of(int | None, x=5)
    assert group.read() == {"x": 5}
    group.set({"x": None})
    assert group.read() == {"x": None}


def test_lists() -> None:
    group = of(list[Address])
    rows = group.fields["x"]
    assert isinstance(rows, ListField)
    assert group.read() == {"x": []}
    for _ in range(3):
        rows._add.click()
    for number, item in enumerate(rows._items):
        item.set({"street": f"s{number}", "city": "c"})
    assert [item.fields["street"].label for item in rows._items] == [  # type: ignore[attr-defined]
        "x[0].street",
        "x[1].street",
        "x[2].street",
    ]
    rows._box.children[1].children[1].click()
    assert group.read() == {"x": [{"street": f"s{n}", "city": "c"} for n in (0, 2)]}
    assert len(rows._box.children) == 2


def test_lists_have_limits() -> None:
    group = of(Annotated[list[str], Field(min_length=1, max_length=2)])
    rows = group.fields["x"]
    assert isinstance(rows, ListField)
    assert len(rows._items) == 1
    rows._add.click()
    rows._add.click()
    assert len(rows._items) == 2
    assert "2 at most" in rows._wrong.value
    rows._resize(0)
    with pytest.raises(FieldError, match="x must have 1 at least"):
        group.read()


def test_what_refers_to_itself_ends() -> None:
    group = fields(Node.model_json_schema())
    value = {"name": "a", "below": [{"name": "b", "below": []}]}
    group.set(value)
    assert group.read() == value
    deep: dict[str, Any] = {"name": "z", "below": []}
    for _ in range(12):
        deep = {"name": "y", "below": [deep]}
    group.set(deep)
    assert group.read() == deep


def test_a_secret_leaves_its_widget_at_once() -> None:
    group = of(SecretStr)
    control(group).value = "hunter2-long"
    assert control(group).value == ""
    assert group.read() == {"x": "hunter2-long"}
    assert group.draft() == {}


def test_a_default_that_is_secret_stands_in_no_widget() -> None:
    group = fields({"properties": {"api_key": {"type": "string", "default": "sk-12345678"}}})
    assert group.read() == {}
    states = [part.get_state() for part in _walk(group.widget)]
    assert "sk-12345678" not in str(states)


def test_a_draft_is_what_can_be_read() -> None:
    group = fields(Address.model_json_schema())
    assert group.draft() == {"city": "Berlin"}
    assert "required" not in group.fields["street"]._wrong.value  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "schema",
    [
        None,
        5,
        [],
        {},
        {"type": "string"},
        {"properties": []},
        {"properties": {}},
        {"properties": {"a": {}}, "additionalProperties": True},
        {"properties": {f"p{n}": {} for n in range(500)}},
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
        {"$ref": "#/nowhere"},
    ],
    ids=range(11),
)
def test_what_has_no_fields(schema: Any) -> None:
    assert schema_fields(schema, lambda: None) is None


@pytest.mark.parametrize(
    "part",
    [
        5,
        None,
        {"type": ["string", "integer"]},
        {"type": "array"},
        {"type": "array", "items": [{"type": "string"}]},
        {"type": "array", "prefixItems": [{}], "items": {}},
        {"enum": []},
        {"enum": "abc"},
        {"anyOf": 5},
        {"anyOf": [5]},
        {"oneOf": [{"type": "null"}]},
        {"allOf": [{"type": "string"}, {"minLength": 2}]},
        {"$ref": 5},
        {"type": "integer", "minimum": "x", "multipleOf": 0},
        {"type": "string", "pattern": "(", "minLength": "3", "description": 5},
        {"type": "string", "default": 5},
        {"type": "object", "properties": {"b": {"$ref": "#"}}},
        {"type": "array", "minItems": 10**9, "items": {}},
    ],
    ids=range(18),
)
def test_odd_schemas_are_drawn(part: Any) -> None:
    group = fields({"properties": {"a": part}, "required": "a"})
    group.draft()


def test_what_a_schema_says_is_text() -> None:
    evil = "<img src=x onerror=alert(1)>"
    group = fields({"properties": {evil: {"type": "string", "description": evil}}})
    texts = [part.value for part in _walk(group.widget) if type(part).__name__ == "HTML"]
    assert not any("<img" in text for text in texts)
    assert any("&lt;img" in text for text in texts)
    labels = [part for part in _walk(group.widget) if getattr(part, "description", "")]
    assert not any(part.description_allow_html for part in labels)


def _walk(widget: Any) -> Any:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _walk(child)
