"""Who may import whom: the table of DESIGN.md, kept."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import nango_jupyter

ROOT = Path(nango_jupyter.__file__).parent

BASE = {"exceptions", "secrets"}
WIRE = BASE | {"executions", "messages", "wire_json"}
ALLOWED = {
    "exceptions": set(),
    "secrets": set(),
    "suggestions": set(),
    "executions": {"secrets"},
    "kernel_loop": {"exceptions"},
    "settings": BASE,
    # NANGO_* variables, pyproject.toml and keyrings, for magics and forms.
    "preferences": BASE | {"secret_sources", "settings", "suggestions"},
    "secret_sources": BASE | {"suggestions"},
    "wire_json": {"exceptions"},
    # Python values as JSON, and lists as frames: what goes in and what comes out of a notebook.
    "conversion": BASE | {"wire_json"},
    "rows": BASE | {"conversion", "suggestions"},
    "frames": BASE | {"conversion", "rows", "suggestions"},
    "messages": BASE | {"executions", "wire_json"},
    "results": WIRE | {"display", "frames", "suggestions"},
    "transport": WIRE | {"settings"},
    "credentials": BASE,
    "catalog": BASE,
    "client": WIRE | {"catalog", "credentials", "settings", "results", "transport"},
    "calls": WIRE,
    "batch": WIRE | {"calls", "client", "display", "frames", "results", "rows", "suggestions"},
    "display": WIRE | {"results", "batch"},
    "samples": set(),
    "defined": {"display"},
    # The one that starts the server for the front; everything else of the front stays out of it.
    "local": {"client", "defined", "exceptions", "messages", "transport", "server"},
    # What was used, and what runs: for history, completion and "did you mean".
    "known": WIRE | {"calls", "catalog", "client", "local", "suggestions"},
    "history": WIRE | {"batch", "calls", "display", "results", "suggestions"},
    "jobs": WIRE | {"batch", "calls", "display", "kernel_loop", "results"},
    "connections": WIRE | {"client", "display", "known", "local", "settings", "suggestions"},
    "changes": set(),
    "session": WIRE
    | {
        "batch",
        "calls",
        "changes",
        "client",
        "connections",
        "defined",
        "display",
        "history",
        "jobs",
    }
    | {"kernel_loop", "known", "local", "results", "rows", "settings", "suggestions"},
    # Connecting, for magics and forms.
    "targets": {"connections", "preferences", "secret_sources", "session", "settings"},
    "magics": WIRE
    | {"batch", "calls", "connections", "conversion", "defined", "display", "frames", "history"}
    | {"jobs", "kernel_loop", "known", "preferences", "results", "rows", "secret_sources"}
    | {"session", "settings", "suggestions", "targets", "widgets"},
    # Forms share what the magics have open, and are drawn as results are.
    "widgets": WIRE
    | {"batch", "calls", "catalog", "connections", "credentials", "display", "history", "jobs"}
    | {"kernel_loop", "known", "magics", "preferences", "results", "secret_sources", "session"}
    | {"settings", "suggestions", "targets"},
    # The worker opens its AMQP connection as the client does; samples are served without a folder.
    "server": WIRE | {"catalog", "settings", "transport", "samples"},
    "__main__": {"exceptions", "local", "server"},
}
THIRD_PARTY = {
    "aio_pika": {"transport", "server"},
    "aiormq": {"transport", "server"},
    "IPython": {"magics", "display"},  # display: for `show`, which draws at once
    "ipywidgets": {"widgets"},
    "jinja2": {"display"},
    "keyring": {"secret_sources"},
    "nest_asyncio2": {"kernel_loop"},
    "pandas": {"frames"},
    "polars": {"frames"},
    "sqlalchemy": {"server"},
    "tqdm": {"magics"},
    "httpx": {"server"},
    "pydantic": {"server"},
    "yaml": {"magics", "server"},
    "asyncpg": {"server"},
    "cryptography": {"server"},
    "watchfiles": {"server"},
    "click": {"server"},
}


def modules() -> list[Path]:
    return [path for path in ROOT.rglob("*.py") if not path.name.endswith(".action.py")]


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    """All modules that are imported when the code runs, anywhere in a file."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide what is imported"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)
        else:
            yield from imported(node)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_design(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        return  # the public names: everything, inside functions
    for name in imported(ast.parse(path.read_text())):
        top, _, rest = name.partition(".")
        if top == "nango_jupyter" and rest:
            other = rest.partition(".")[0]
            is_part = (ROOT / other).is_dir() or (ROOT / f"{other}.py").exists()
            assert not is_part or other == part or other in ALLOWED[part], f"{part} imports {name}"
        if top in THIRD_PARTY:
            assert part in THIRD_PARTY[top], f"{part} imports {name}"


def test_aio_pika_stays_in_few_files() -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in modules()
        if any(
            name.partition(".")[0] == "aio_pika" for name in imported(ast.parse(path.read_text()))
        )
    }
    assert users == {
        *("transport/amqp.py", "transport/asking.py"),
        *("server/worker.py", "server/catalog_queue.py"),
    }


def test_all_is_what_can_be_imported() -> None:
    for name in nango_jupyter.__all__:
        assert getattr(nango_jupyter, name) is not None
    assert dir(nango_jupyter) == sorted(nango_jupyter.__all__)
    with pytest.raises(AttributeError):
        nango_jupyter.nothing  # noqa: B018
    with pytest.raises(ImportError):
        from nango_jupyter import nothing  # noqa: F401
