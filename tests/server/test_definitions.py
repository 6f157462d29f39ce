"""Actions as functions: what they take, what they refuse, and what is found in a file."""

import asyncio
import dataclasses
import enum
import functools
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from textwrap import dedent
from types import ModuleType, SimpleNamespace
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from nango_jupyter import NangoConfigError, NangoUsageError, action
from nango_jupyter.server.actions import (
    ActionConnection,
    ActionContext,
    ActionRuntime,
    NangoAction,
)
from nango_jupyter.server.definitions import (
    ActionDefinition,
    InvalidInputError,
    define,
    find_definition,
)
from nango_jupyter.server.logs import ActionLogger

CONNECTION = ActionConnection(uuid="1", integration="slack", user_id="ada", credentials={})


@pytest.fixture
def runtime() -> Iterator[ActionRuntime]:
    logger = ActionLogger("slack", "notify", "ada", execution_id="12345678", level=10)
    http: Any = SimpleNamespace(credentials=CONNECTION.credentials)
    loop = asyncio.new_event_loop()
    yield ActionRuntime(CONNECTION, logger, http, loop)
    loop.close()


def call(function: Callable[..., Any], runtime: ActionRuntime, value: Any) -> Any:
    return define(function, "slack/notify").call(runtime, value)


def refusal(function: Callable[..., Any], runtime: ActionRuntime, value: Any) -> list[str]:
    """The lines that a wrong input gets."""
    with pytest.raises(InvalidInputError) as caught:
        call(function, runtime, value)
    head, *lines = caught.value.message.split("\n")
    assert head.endswith("can't be used, and the action was not run:")
    return lines


class Colour(enum.Enum):
    RED = "red"


class Row(BaseModel):
    when: datetime
    count: int = 1


@dataclasses.dataclass
class Point:
    x: int


class Named(TypedDict):
    name: str


async def test_an_async_function(runtime: ActionRuntime) -> None:
    @action
    async def notify(ctx: ActionContext, channel_id: str, msg: str = "hi") -> dict[str, str]:
        """Post a
        message.

        Not this.
        """
        return {"user": str(ctx.get_current_connection().user_id), channel_id: msg}

    found = define(notify, "slack/notify")
    assert (found.name, found.description) == ("notify", "Post a message.")
    assert (found.is_async, found.idempotent) == (True, False)
    assert found.filename == __file__
    assert await found.call(runtime, {"channel_id": "C1"}) == {"user": "ada", "C1": "hi"}
    # What the decorator gives back is still the function.
    context = ActionContext()
    context._runtime = runtime
    assert await notify(context, "C2", msg="x") == {"user": "ada", "C2": "x"}


def test_the_schema() -> None:
    @action(idempotent=True)
    def notify(
        ctx: Any,
        channel_id: Annotated[str, Field(description="Where to.", max_length=9)],
        *,
        count: int = 2,
        at: datetime = datetime(2026, 1, 2),
    ) -> None: ...

    found = define(notify, "slack/notify")
    assert found.idempotent
    assert not found.is_async
    assert found.input_schema == {
        "title": "notify",
        "type": "object",
        "properties": {
            "channel_id": {
                "title": "Channel Id",
                "type": "string",
                "description": "Where to.",
                "maxLength": 9,
            },
            "count": {"title": "Count", "type": "integer", "default": 2},
            "at": {
                "title": "At",
                "type": "string",
                "format": "date-time",
                "default": "2026-01-02T00:00:00",
            },
        },
        "required": ["channel_id"],
        "additionalProperties": False,
    }


def echo(ctx: Any, value: Any) -> Any:
    return value


HINTS: list[tuple[Any, Any, Any]] = [
    (str, "a", "a"),
    (int, "7", 7),
    (datetime, "2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5)),
    (Colour, "red", Colour.RED),
    (Literal["a", "b"], "b", "b"),
    (Optional[int], None, None),  # noqa: UP045 - as people write it
    (int | None, 3, 3),
    (list[Row], [{"when": "2026-01-02T00:00:00"}], [Row(when=datetime(2026, 1, 2))]),
    (dict[str, Point], {"a": {"x": 1}}, {"a": Point(1)}),
    (Named, {"name": "n"}, {"name": "n"}),
    (set[int], [1, 1], {1}),
    ("list[Row]", [{"when": "2026-01-02T00:00:00"}], [Row(when=datetime(2026, 1, 2))]),
    (list["Row"], [{"when": "2026-01-02T00:00:00"}], [Row(when=datetime(2026, 1, 2))]),
    (Any, {"any": [1]}, {"any": [1]}),
    (None, None, None),
]


@pytest.mark.parametrize(("hint", "given", "got"), HINTS)
def test_type_hints_are_followed(
    runtime: ActionRuntime, hint: Any, given: Any, got: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(echo.__annotations__, "value", hint)
    assert call(echo, runtime, {"value": given}) == got


NAMES = ["json", "schema", "copy", "model_config", "model_fields", "_x", "self", "cls", "input_0"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_will_do(runtime: ActionRuntime, name: str) -> None:
    space: dict[str, Any] = {}
    exec(f"def notify(ctx, {name}: int, input_1=5): return [{name}, input_1]", space)
    assert call(space["notify"], runtime, {name: "3"}) == [3, 5]
    assert refusal(space["notify"], runtime, {name: "x"}) == [
        f"- {name}: Input should be a valid integer, unable to parse string as an integer"
    ]


def test_defaults_are_what_they_are_and_nobody_elses(runtime: ActionRuntime) -> None:
    plain = object()

    def notify(
        ctx: Any,
        rows: list[int] = [],  # noqa: B006 - the case
        odd: int = "no number",  # type: ignore[assignment]
        one: object = plain,
        counted: int = Field(5, ge=3),
    ) -> Any:
        rows.append(1)
        return rows, odd, one is plain, counted

    for _ in range(2):
        assert call(notify, runtime, {}) == ([1], "no number", True, 5)
    assert refusal(notify, runtime, {"counted": 1})[0].startswith("- counted: Input")


def test_an_alias_of_the_author(runtime: ActionRuntime) -> None:
    def notify(ctx: Any, channel_id: Annotated[str, Field(alias="channelId")]) -> str:
        return channel_id

    assert call(notify, runtime, {"channelId": "C1"}) == "C1"
    assert refusal(notify, runtime, {"channel_id": "C1"}) == [
        "- channelId: Field required",
        "- channel_id: There is no such input (it takes: channelId); did you mean channelId?",
    ]


def test_a_wrong_input_names_each_field_and_no_value(runtime: ActionRuntime) -> None:
    class Cat(BaseModel):
        kind: Literal["cat"]

    class Dog(BaseModel):
        kind: Literal["dog"]

    def notify(
        ctx: Any,
        channel_id: str,
        rows: list[Row],
        pet: Annotated[Cat | Dog, Field(discriminator="kind")],
        either: int | list[int],
        by_name: dict[str, Row],
    ) -> None:
        raise AssertionError

    lines = refusal(
        notify,
        runtime,
        {
            "chanel_id": "secret-1",
            "rows": [{"when": "2026-01-01T00:00:00"}, {"when": "secret-2", "count": []}, 3],
            "pet": {"kind": "secret-3"},
            "either": ["secret-4"],
            "by_name": {"a b": {"count": 1}},
        },
    )
    assert [line.partition(":")[0] for line in lines] == [
        "- channel_id",
        "- rows[1].when",
        "- rows[1].count",
        "- rows[2]",
        "- pet",
        "- either, as int",
        "- either[0], as list[int]",
        '- by_name["a b"].when',
        "- chanel_id",
    ]
    assert lines[0] == "- channel_id: Field required"
    assert "valid datetime" in lines[1]
    assert lines[-1] == (
        "- chanel_id: There is no such input "
        "(it takes: channel_id, rows, pet, either, by_name); did you mean channel_id?"
    )
    assert "secret" not in "".join(lines)


@pytest.mark.parametrize("value", [[], "text", 0, False])
def test_an_input_that_is_no_object(runtime: ActionRuntime, value: Any) -> None:
    def notify(ctx: Any, channel_id: str = "", msg: str = "") -> list[str]:
        return [channel_id, msg]

    lines = refusal(notify, runtime, value)
    assert lines == ["- It should be an object (it takes: channel_id, msg)"]
    assert call(notify, runtime, None) == ["", ""]


def test_an_action_without_inputs(runtime: ActionRuntime) -> None:
    def ping(ctx: Any) -> str:
        return "pong"

    assert call(ping, runtime, None) == call(ping, runtime, {}) == "pong"
    assert refusal(ping, runtime, {"a": 1}) == ["- a: There is no such input (it takes: nothing)"]


def test_rest_takes_unknown_keys(runtime: ActionRuntime) -> None:
    def notify(ctx: Any, msg: str = "hi", **rest: int) -> Any:
        return msg, rest

    assert call(notify, runtime, {"a": "1", "input_0": 2}) == ("hi", {"a": 1, "input_0": 2})
    assert refusal(notify, runtime, {"a": "x"})[0].startswith("- a: Input should be a valid int")
    assert refusal(notify, runtime, {"ctx": 1})[0].startswith("- ctx: There is no such input")
    schema = define(notify, "x").input_schema
    assert schema is not None
    assert schema["additionalProperties"] == {"type": "integer"}

    def free(ctx: Any, /, **rest: Any) -> Any:
        return rest

    assert call(free, runtime, {"ctx": 1, "a": [2]}) == {"ctx": 1, "a": [2]}


def test_many_errors_are_cut_short(runtime: ActionRuntime) -> None:
    def notify(ctx: Any, rows: list[int]) -> None: ...

    lines = refusal(notify, runtime, {"rows": ["x"] * 1000, "y" * 5000: 1})
    assert len(lines) == 21
    assert lines[-1] == "- and 981 more"
    assert max(map(len, refusal(notify, runtime, {"y" * 5000: 1}))) < 250


def test_what_a_validator_says_is_told(runtime: ActionRuntime) -> None:
    from pydantic import AfterValidator

    def even(number: int) -> int:
        if number % 2:
            raise ValueError("it should be even")
        return number

    def notify(ctx: Any, count: Annotated[int, AfterValidator(even)]) -> None: ...

    assert refusal(notify, runtime, {"count": 3}) == ["- count: it should be even"]


def test_wrapped_functions_and_partial_objects(runtime: ActionRuntime) -> None:
    def twice(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return [function(*args, **kwargs)] * 2

        return wrapper

    @twice
    @action(idempotent=True)
    def notify(ctx: Any, count: int, factor: int = 1) -> int:
        """Count."""
        return count * factor

    found = define(notify, "x")
    assert (found.name, found.description, found.idempotent) == ("notify", "Count.", True)
    assert found.call(runtime, {"count": "3"}) == [3, 3]

    half = functools.partial(notify, factor=5)
    assert define(half, "x").name == "notify"
    assert call(half, runtime, {"count": 2}) == [10, 10]
    assert call(half, runtime, {"count": 2, "factor": 2}) == [4, 4]


async def test_a_partial_object_of_an_async_function(runtime: ActionRuntime) -> None:
    async def notify(ctx: Any, count: int, factor: int) -> int:
        return count * factor

    found = define(functools.partial(notify, factor=2), "x")
    assert found.is_async
    assert await found.call(runtime, {"count": 4}) == 8


UNFIT = [
    ("def notify(): ...", "notify has no parameter for the context: write notify(ctx, …)"),
    ("def notify(*args): ...", "no parameter for the context"),
    ("def notify(*, ctx): ...", "no parameter for the context"),
    ("def notify(**rest): ...", "no parameter for the context"),
    ("def notify(msg: str): ...", "msg looks like an input: write notify(ctx, msg, …)"),
    ("def notify(rows: 'list[int]'): ...", "rows looks like an input"),
    ("def notify(ctx, *args): ...", "takes *args, but inputs have names: write each one out"),
    ("def notify(ctx, a, /): ...", "takes a by its position only"),
    ("def notify(ctx): yield 1", "notify yields, but an action returns"),
    ("async def notify(ctx): yield 1", "notify yields, but an action returns"),
    ("def notify(ctx, a: 'Nothing'): ...", "NameError: name 'Nothing' is not defined"),
    ("def notify(ctx, a: print): ...", "the type hints of notify can't be used for inputs"),
    ("def notify(ctx, a: __import__('io').StringIO): ...", "Unable to generate pydantic-core"),
    ("from typing import Callable\ndef notify(ctx, a: Callable): ...", "type hints of notify"),
    ("notify = 7", "an action is a function, or a subclass of NangoAction"),
    ("class notify: ...", "an action is a function, or a subclass of NangoAction"),
    ("notify = min", "min has no signature that can be read"),
]


@pytest.mark.parametrize(("text", "said"), UNFIT)
def test_what_can_not_be_an_action(text: str, said: str) -> None:
    space: dict[str, Any] = {"__name__": __name__}
    exec(text, space)
    with pytest.raises(NangoConfigError) as caught:
        define(space["notify"], "slack/notify.action.py")
    assert caught.value.message.startswith("slack/notify.action.py: ")
    assert said in caught.value.message


@pytest.mark.parametrize("item", [NangoAction, "notify", None.__class__, len])
def test_the_decorator_refuses_what_is_no_function(item: Any) -> None:
    with pytest.raises(NangoUsageError, match="@action"):
        action(item)


async def test_the_class_form(runtime: ActionRuntime) -> None:
    class Notify(NangoAction):
        """Post."""

        idempotent = True

        def __init__(self) -> None:
            self.made = "made"

        async def execute_action(self, input: Any) -> Any:  # noqa: A002
            return [self.made, input, self.get_current_connection().user_id]

    found = define(Notify, "x")
    assert (found.name, found.description) == ("Notify", "Post.")
    assert (found.is_async, found.idempotent, found.input_schema) == (True, True, None)
    assert await found.call(runtime, [1]) == ["made", [1], "ada"]


@pytest.fixture
def load() -> Iterator[Callable[[str], ActionDefinition]]:
    """Runs a text as the module of an action file, and finds its action."""
    module = ModuleType("_test_action")
    sys.modules[module.__name__] = module

    def run(text: str) -> ActionDefinition:
        exec(dedent(text), vars(module))
        return find_definition(module, "slack/notify.action.py")

    yield run
    del sys.modules[module.__name__]


Load = Callable[[str], ActionDefinition]


def test_future_annotations_and_type_checking(load: Load, runtime: ActionRuntime) -> None:
    found = load("""
        from __future__ import annotations
        from dataclasses import dataclass
        from typing import TYPE_CHECKING
        from nango_jupyter import action
        if TYPE_CHECKING:
            from somewhere import Context, Result

        @action
        def notify(ctx: Context, points: list[Point], **rest: Point) -> Result:
            return points, rest

        @dataclass
        class Point:
            x: int
    """)
    points, rest = found.call(runtime, {"points": [{"x": "1"}], "more": {"x": 2}})
    assert [points[0].x, rest["more"].x] == [1, 2]


def test_what_is_imported_is_not_the_files_own(load: Load) -> None:
    text = """
        from tests.server.test_definitions import imported
        from nango_jupyter import NangoAction, action

        @action
        def notify(ctx): ...

        again = notify
    """
    assert load(text).name == "notify"


@action
def imported(ctx: Any) -> None: ...


def test_a_partial_object_in_a_file(load: Load) -> None:
    text = """
        from functools import partial
        from nango_jupyter import action

        def post(ctx, channel, msg): ...

        notify = action(partial(post, channel="C1"))
    """
    assert load(text).name == "post"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it defines none"),
        ("def notify(ctx): ...", "it defines none"),
        (
            "from nango_jupyter import NangoAction, action\n"
            "class B(NangoAction): ...\n"
            "@action\ndef a(ctx): ...",
            "it defines B, a",
        ),
    ],
)
def test_not_exactly_one(load: Load, text: str, said: str) -> None:
    with pytest.raises(NangoConfigError) as caught:
        load(text)
    assert caught.value.message == (
        "slack/notify.action.py must define one action, a function with @action or a subclass "
        f"of NangoAction; {said}"
    )


async def test_run_waits_for_a_coroutine_on_the_actions_loop(runtime: ActionRuntime) -> None:
    loop = asyncio.get_running_loop()
    runtime = dataclasses.replace(runtime, loop=loop)

    async def work(value: int) -> int:
        assert asyncio.get_running_loop() is loop
        await asyncio.sleep(0)
        return value + 1

    @action
    def notify(ctx: ActionContext, value: int) -> int:
        return ctx.run(work(value))

    found = define(notify, "x")
    assert await asyncio.to_thread(found.call, runtime, {"value": 1}) == 2
    with pytest.raises(NangoUsageError, match="run is for a plain def: write await"):
        found.call(runtime, {"value": 1})
