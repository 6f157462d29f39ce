"""Running action files: what is wrong with one, and in which line."""

import gc
import pickle
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from nango_jupyter.secrets import remember
from nango_jupyter.server.definitions import ActionDefinition
from nango_jupyter.server.loader import load_definition


def load(folder: Path, text: str | bytes) -> ActionDefinition | str:
    """Load this text; return the definition, or what is wrong with it."""
    path = folder / "echo.action.py"
    path.write_bytes(dedent(text).encode() if isinstance(text, str) else text)
    found = load_definition(path, "demo/echo.action.py", path.read_bytes())
    return found if isinstance(found, ActionDefinition) else str(found)


def test_a_function_and_a_class(tmp_path: Path) -> None:
    function = load(
        tmp_path,
        """
        from nango_jupyter import action

        @action
        def echo(ctx, value: int):
            '''Return the value.'''
        """,
    )
    assert isinstance(function, ActionDefinition)
    assert (function.name, function.description) == ("echo", "Return the value.")
    text = "from nango_jupyter import NangoAction\nclass A(NangoAction):\n"
    made = load(tmp_path, f"{text}    def execute_action(self, input): pass\n")
    assert isinstance(made, ActionDefinition)
    assert made.name == "A"


BROKEN = [
    ("x = 1\n\nclass Half(:\n", "demo/echo.action.py:3: invalid syntax"),
    ("if 1:\nx = 1\n", "demo/echo.action.py:2: expected an indented block after 'if'"),
    ("\n\nimport nothing_of_this_name\n", "demo/echo.action.py:3: ModuleNotFoundError: No module"),
    ("\nraise SystemExit(2)\n", "demo/echo.action.py:2: SystemExit: 2"),
    ("raise KeyboardInterrupt\n", "demo/echo.action.py:1: KeyboardInterrupt"),
    ("import json\n\njson.loads('x')\n", "demo/echo.action.py:3: JSONDecodeError: Expecting"),
    (
        "def inner():\n    return 1 / 0\n\ninner()\n",
        "demo/echo.action.py:2: ZeroDivisionError: division by zero",
    ),
    ("\nraise ValueError('one\\ntwo')\n", "demo/echo.action.py:2: ValueError: one"),
    (
        "class Mute(Exception):\n    def __str__(self):\n        return 1 / 0\nraise Mute\n",
        "demo/echo.action.py:4: Mute: it has no message that can be shown",
    ),
    ("raise ValueError('a loader-secret')\n", "demo/echo.action.py:1: ValueError: a ••••••"),
    ("compile('(', 'other.py', 'exec')\n", "demo/echo.action.py:1: SyntaxError: '(' was never"),
    ("", "demo/echo.action.py: must define one action, a function with @action or a subclass"),
    (
        "from nango_jupyter import NangoAction, action\n"
        "class A(NangoAction):\n    def execute_action(self, input): pass\n"
        "class Other: pass\n"
        "@action\n"
        "def b(ctx): pass\n"
        "def other(): pass\n",
        "demo/echo.action.py:6: must define one action, a function with @action or a subclass of "
        "NangoAction; it defines A, b",
    ),
    (
        "from nango_jupyter import action\n\n@action\nasync def notify():\n    pass\n",
        "demo/echo.action.py:4: notify",
    ),
    (
        "from nango_jupyter import action\n@action\ndef pages(ctx):\n    yield 1\n",
        "demo/echo.action.py:3: pages yields, but an action returns",
    ),
    ("import sys\ndel sys.modules[__name__]\n1 / 0\n", "demo/echo.action.py:3: ZeroDivision"),
    (b"x = '\xff'\n", "demo/echo.action.py"),
    (b"x = '\0'\n", "null bytes"),
    ("x = " + "(" * 300 + ")" * 300, "demo/echo.action.py:1: too many nested parentheses"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_what_is_wrong_has_a_place(tmp_path: Path, text: str | bytes, said: str) -> None:
    remember("loader-secret")
    before = set(sys.modules)
    found = load(tmp_path, text)
    assert isinstance(found, str)
    assert said in found
    assert found.startswith("demo/echo.action.py:")
    assert "\n" not in found
    assert not [name for name in set(sys.modules) - before if name.startswith("_nango")]


def test_its_module_lives_as_long_as_its_definition(tmp_path: Path) -> None:
    before = set(sys.modules)
    found = load(
        tmp_path,
        """
        from nango_jupyter import NangoAction

        class Point:
            pass

        class Draw(NangoAction):
            point = Point()

            def execute_action(self, input):
                pass
        """,
    )
    (name,) = [name for name in set(sys.modules) - before if name.startswith("_nango")]
    point = sys.modules[name].Point()
    assert isinstance(pickle.loads(pickle.dumps(point)), type(point))
    del found
    gc.collect()
    assert name not in sys.modules
