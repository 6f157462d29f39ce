"""``--each`` and ``--retry-failed`` in real kernels, on the embedded server and behind RabbitMQ."""

import re
import time
from pathlib import Path

from tests.support.kernel import Kernel

SLEEP = '{"seconds": {{ row.seconds }}}'


def test_each_row_of_a_frame(kernel: Kernel) -> None:
    kernel.ok("import pandas as pd\ndf = pd.DataFrame({'n': range(25), 'name': list('abcde') * 5})")
    kernel.ok(
        "%%nango_trigger demo echo ada --each df --concurrency 7 --out batch\n"
        '{"msg": "hello {{ row.name }}", "n": {{ row.n }}}'
    )
    reply = kernel.ok(
        "frame = batch.to_pandas()\n"
        "print(list(frame.columns), frame['result.n'].tolist() == list(range(25)), "
        "len(batch.succeeded), len(batch.failed), batch[4].value)"
    )
    columns = "['n', 'name', 'success', 'error', 'duration', 'result.msg', 'result.n']"
    assert reply.text.strip() == f"{columns} True 25 0 {{'msg': 'hello e', 'n': 4}}"
    card = kernel.ok("batch")
    assert "demo.echo" in card.html
    assert "<svg" in card.html
    assert "25" in card.plain


def test_the_user_is_in_the_row(kernel: Kernel) -> None:
    kernel.ok("number = 5\n%nango_register demo $number --token-env TOKEN")
    kernel.ok("rows = [{'who': 'ada'}, {'who': 5}, {'who': 'nobody'}]")
    kernel.ok("%%nango_trigger demo whoami {{ row.who }} --each rows --out batch\n{}")
    assert kernel.ok("[repr(item.value and item.value['userId']) for item in batch]").plain == (
        "[\"'ada'\", '5', 'None']"
    )
    kernel.ok("rows = [{'user_id': 5}]\n%nango_trigger demo whoami --each rows --out batch")
    assert kernel.ok("batch[0].value['userId']").plain == "5"
    reply = kernel.run("rows = [{}]\n%nango_trigger demo whoami --each rows")
    assert "no user" in reply.traceback


def test_a_gap_in_a_column_of_users_leaves_the_others_as_they_are(kernel: Kernel) -> None:
    kernel.ok("number = 58\n%nango_register demo $number --token-env TOKEN")
    kernel.ok("import pandas as pd\nrows = pd.DataFrame({'user': [58, None]})  # 58.0 and NaN")
    for line in ("--each rows", "{{ row.user }} --each rows"):
        kernel.ok(f"%nango_trigger demo whoami {line} --out batch")
        assert kernel.ok("batch[0].value['userId'], batch[1].success").plain == "(58, False)"


def test_what_is_missing_is_named(local: Kernel) -> None:
    assert "no integration and no action" in local.run("%nango_trigger").traceback
    assert "There is no action" in local.run("%nango_trigger demo").traceback


def test_a_misspelt_action_is_guessed(local: Kernel) -> None:
    for line in ("", " --stop-on-error"):
        reply = local.run(f"%nango_trigger demo ecko ada --each [{{}},{{}}]{line}")
        assert "Did you mean echo?" in reply.html
        assert "Did you mean echo?" in reply.plain


def test_a_generator_is_read_as_it_is_needed(kernel: Kernel) -> None:
    kernel.ok(
        "read = []\n"
        "def numbers():\n    for n in range(1_000):\n        read.append(n)\n"
        "        yield {'n': n, 'seconds': 0 if n < 30 else 'no number'}\n"
    )
    reply = kernel.run(
        "%%nango_trigger demo sleep ada --each numbers() --concurrency 3 --stop-on-error --out b\n"
        + SLEEP
    )
    assert reply.error == "NangoServerError"
    assert "<svg" in reply.html
    assert kernel.ok("len(read) < 40, len(b.failed) in (1, 2, 3), len(b) < 40").plain == (
        "(True, True, True)"
    )


def test_retry_runs_what_failed(kernel: Kernel) -> None:
    kernel.ok("rows = [{'seconds': 0}] * 5 + [{'seconds': 'no number'}] * 2")
    kernel.ok(f"%%nango_trigger demo sleep ada --each rows --out first\n{SLEEP}")
    assert kernel.ok("len(first.failed), first.failed[0].index").plain == "(2, 5)"
    kernel.ok("%nango_trigger --retry-failed $first --out second")
    assert kernel.ok("len(second), len(second.failed), second.ran").plain == "(7, 2, 2)"
    assert "number from 0" in kernel.ok("second").plain
    for code in (
        "%nango_trigger --retry-failed rows",
        "%nango_trigger --retry-failed frist",
        "%nango_trigger demo sleep ada --retry-failed first",
    ):
        assert kernel.run(code).error == "NangoUsageError"
    assert "Did you mean first?" in kernel.run("%nango_trigger --retry-failed frist").traceback


def test_stop_keeps_what_came_back(kernel: Kernel, tmp_path: Path) -> None:
    mark = tmp_path / "all are under way"
    kernel.ok(
        "def rows():\n    for n in range(1_000):\n"
        f"        if n == 49: open({str(mark)!r}, 'w').close()\n"
        "        yield {'seconds': 0 if n < 40 else 60}"
    )
    sent = kernel.send(
        "%%nango_trigger demo sleep ada --each rows() --concurrency 10 --out stopped\n" + SLEEP
    )
    while not mark.exists():
        time.sleep(0.05)
    time.sleep(0.5)  # the last row is sent just after it was read
    begun = time.monotonic()
    kernel.manager.interrupt_kernel()
    reply = kernel.wait(sent)
    assert time.monotonic() - begun < 3
    assert reply.error == "KeyboardInterrupt"
    assert "stopped" in reply.traceback
    assert "What came back is in stopped." in reply.traceback
    assert len(reply.traceback.splitlines()) == 2
    assert kernel.ok("len(stopped.succeeded), len(stopped.failed) > 8").plain == "(40, True)"
    assert kernel.ok("len(stopped) + len(list(stopped.rest))").plain == "1000"
    kernel.ok("x = %nango_trigger demo echo ada 1")
    assert "stopped" in kernel.ok("%nango_history").plain


def test_mistakes_are_told_before_anything_is_sent(kernel: Kernel) -> None:
    kernel.ok("rows, seven = [{'seconds': 0}], 7")
    before = kernel.ok("h = %nango_history\nlen(h)").plain
    for code, text in (
        ("--each rwos", "Did you mean rows?"),
        ("--each seven", "int"),
        ("--each rows --concurrency 0", "concurrency"),
        ("--each rows --concurrency many", "concurrency"),
        ("--each rows --frame --polars", "--frame"),
    ):
        reply = kernel.run(f"%%nango_trigger demo sleep ada {code}\n{SLEEP}")
        assert reply.error == "NangoUsageError", code
        assert text in reply.traceback
    reply = kernel.run('%%nango_trigger demo sleep ada --each rows\n{"seconds": {{ row.secnds }}}')
    assert "Did you mean seconds?" in reply.traceback
    assert kernel.ok("h = %nango_history\nlen(h)").plain == before


def test_rows_are_not_waited_for(kernel: Kernel) -> None:
    kernel.ok("rows = [{'seconds': 0.01}] * 30")
    kernel.ok(f"%%nango_trigger demo sleep ada --each rows --no-wait --out job\n{SLEEP}")
    assert kernel.ok("len(job.result().succeeded)").plain == "30"


def test_a_retry_goes_where_its_batch_went(local: Kernel) -> None:
    local.ok(
        "rows = [{'seconds': 'no number'}]\n%nango_trigger first << demo sleep ada "
        '{"seconds": {{ row.seconds }}} --each rows\n%nango_connect --local --name other'
    )
    local.ok("%nango_trigger --retry-failed first --out second")
    # Where ada is unknown, the message would be another one.
    assert local.ok("second.connection, 'a number' in second.failed[0].error_msg").plain == (
        "('default', True)"
    )
    local.ok("%nango_close other\n%nango_connect --use default")


EXIT = """
import sys
def leave(error):
    yield {'seconds': 0}
    raise error
class Odd(Exception):
    def __init__(self, *, code): super().__init__(f'odd {code}')
"""


def test_rows_that_leave_python_do_not_take_the_kernel_along(local: Kernel) -> None:
    local.ok(EXIT)
    for error in ("SystemExit()", "KeyboardInterrupt()"):
        local.ok(
            f"%%nango_trigger demo sleep ada --each leave({error}) --no-wait --out job\n{SLEEP}"
        )
        assert local.ok("len(job.result()), job.result().reason").plain == "(1, 'stopped')"
        local.run(f"%%nango_trigger demo sleep ada --each leave({error}) --out kept\n{SLEEP}")
        assert local.ok("len(kept)").plain == "1"


def test_an_error_of_the_rows_is_raised_as_it_is(local: Kernel) -> None:
    local.ok(EXIT)
    reply = local.run(
        f"%%nango_trigger demo sleep ada --each leave(Odd(code=7)) --out kept\n{SLEEP}"
    )
    assert reply.error == "Odd"
    assert "odd 7" in reply.traceback
    assert "in leave(" in re.sub(r"\x1b\[[0-9;]*m", "", reply.traceback)
    assert local.ok("len(kept)").plain == "1"


def test_a_finished_batch_holds_no_variables(local: Kernel) -> None:
    local.ok(
        "import gc, weakref\nclass Big: pass\nbig, rows = Big(), [{'seconds': 0}]\n"
        "seen = weakref.ref(big)"
    )
    local.ok(f"%%nango_trigger demo sleep ada --each rows --out batch\n{SLEEP}")
    assert local.ok("del big\n_ = gc.collect()\nseen() is None").plain == "True"


def test_an_expression_in_the_user_is_evaluated_once(local: Kernel) -> None:
    local.ok("import itertools\nnumbers, rows = itertools.count(1), [{}] * 3")
    local.ok("%%nango_trigger demo whoami u{{ next(numbers) }} --each rows --out batch\n1")
    assert local.ok("[item.call.user_id for item in batch]").plain == "['u1', 'u2', 'u3']"
