"""The Node client's reference, example by example, each with its counterpart in Python."""

import re
from typing import NamedTuple

import pytest

from nango_jupyter import Nango
from tests.notebooks.support import Executed, run_notebook

NAME = "06_from_node.ipynb"


class Example(NamedTuple):
    """A block of code in the reference, and what stands for it in the notebook."""

    heading: str
    node: str
    cell: str
    python: str
    shown: str


# All code blocks of the reference document, in its order; one with two ways to write it is two.
EXAMPLES = [
    Example(
        "Nango class",
        "import Nango from '@nangohq/node-client'",
        "node-import",
        "from nango_jupyter import Nango,",
        "",
    ),
    Example(
        "Nango class",
        "new Nango('localhost');\nnango = new Nango('localhost', 5672);",
        "node-construct",
        'nango = Nango("localhost")\nnango = Nango("localhost", 5672)',
        "<Nango amqps://broker.example.com:5671/crm (new)>",
    ),
    Example(
        "connect method",
        "nango.connect()\n.then(() => { … })\n.catch((error) => { … });",
        "node-connect-catch",
        "except NangoError as error:",
        "nothing listens on that port",
    ),
    Example(
        "connect method",
        "await nango.connect();",
        "node-connect-await",
        "await nango.connect()",
        "True",
    ),
    Example(
        "registerConnection method",
        "public async registerConnection(",
        "node-register-signature",
        "inspect.signature(nango.register_connection)",
        "additional_config    positional or keyword",
    ),
    Example(
        "registerConnection method",
        "nango.registerConnection('slack', 1, 'xoxb-XXXXXXXXXXXXXXXX', { channelId: 'XXXXXXX' })",
        "node-register-example",
        '"slack", 1, "xoxb-XXXXXXXXXXXXXXXX", {"channelId": "XXXXXXX"}',
        "registered: True",
    ),
    Example(
        "triggerAction method",
        "public async triggerAction(",
        "node-trigger-signature",
        "inspect.signature(nango.trigger_action)",
        "input                positional or keyword",
    ),
    Example(
        "triggerAction method",
        "let result = await nango.triggerAction('slack', 'notify', 1,"
        " { msg: 'Please post this message' });",
        "node-trigger-await",
        'await nango.trigger_action("slack", "notify", 1, {"msg": "Please post this message"})',
        "from slack.notify: {'status': 200, 'channel': 'XXXXXXX', 'text': 'Please post this",
    ),
    Example(
        "triggerAction method",
        "nango.triggerAction('slack', 'notify', 1, { msg: 'Please post this message' })\n.then(",
        "node-trigger-task",
        "asyncio.create_task(",
        "done already? False\nsuccess: {'status': 200",
    ),
    Example(
        "close method",
        "nango.close()",
        "node-close-call",
        "await nango.close()",
        "NangoClosedError: This client was closed",
    ),
    Example(
        "NangoMessageHandlerResult object",
        "interface NangoMessageHandlerResult {",
        "node-result-fields",
        "result.success, result.error_msg, result.return_value",
        "True\nTrue\nNone\n{'status': 200, 'channel': 'XXXXXXX', 'text': 'in a block'}",
    ),
]
# Every name of the reference, with Python's.
NAMES = {
    "registerConnection": "register_connection",
    "triggerAction": "trigger_action",
    "connect": "connect",
    "close": "close",
    "errorMsg": "error_msg",
    "returnValue": "return_value",
    "success": "success",
    "userId": "user_id",
    "oAuthAccessToken": "oauth_access_token",
    "additionalConfig": "additional_config",
    "executeAction": "execute_action",
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Executed:
    return run_notebook(NAME, tmp_path_factory.mktemp("node"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.cell)
def test_each_example_runs_below_its_original(executed: Executed, example: Example) -> None:
    cells = executed.notebook.cells
    at = next(index for index, cell in enumerate(cells) if cell.id == example.cell)
    above = cells[at - 1].source
    quoted = re.findall(r"```ts\n(.*?)```", above, re.DOTALL)
    assert example.node in "\n".join(quoted)
    headings = [cell.source for cell in cells[:at] if cell.source.startswith("## ")]
    assert headings[-1].startswith(f"## {example.heading}\n")
    assert example.python in cells[at].source
    assert example.shown in executed.text(example.cell)


def test_no_example_is_without_a_counterpart(executed: Executed) -> None:
    blocks = [
        block
        for cell in executed.notebook.cells
        if cell.cell_type == "markdown" and "Exercise" not in cell.source
        for block in re.findall(r"```ts\n(.*?)```", cell.source, re.DOTALL)
    ]
    assert len(blocks) == len(EXAMPLES)


@pytest.mark.parametrize(("node", "python"), NAMES.items())
def test_the_table_names_everything(executed: Executed, node: str, python: str) -> None:
    table = next(cell.source for cell in executed.notebook.cells if cell.id == "node-names")
    [row] = [line for line in table.split("\n") if line.startswith(f"| `{node}")]
    assert f"{python}" in row.split("|")[2]
    in_a_class = ("connect", "close", "registerConnection", "triggerAction")
    assert node not in in_a_class or hasattr(Nango, python)


def test_the_differences_are_as_told(executed: Executed) -> None:
    text = executed.text
    assert "NangoClosedError: This client is not connected" in text("node-connect-forgotten")
    assert "already-existing connection" in text("node-register-again")
    assert "(closed)>" in text("node-close-block")
    assert text("node-result-error").startswith("False\nTried to trigger action")
    assert "NangoTimeoutError: No answer within 0.3 s" in text("node-diff-timeout")
    gathered = re.search(r"in ([\d.]+) s", text("node-diff-gather"))
    assert gathered
    assert float(gathered[1]) < 1.2
    assert "••••••" in text("node-diff-secrets")
    assert "NangoInputError: input.rows[0].due is a datetime.date" in text("node-diff-input")
    assert 'User 1 and user "1" are two users' in text("node-diff-users")
    assert "xoxb-" not in executed.everything


def test_the_exercises_have_working_solutions(executed: Executed) -> None:
    together, settled = executed.solutions
    assert together.strip() == "[1, 2, 3]"
    assert settled.startswith("True \nFalse There was an error during the action execution: out of")
