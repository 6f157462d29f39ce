"""Variables in the input, and where results go, in a real kernel."""

import json
from pathlib import Path

from tests.support.kernel import Kernel

ECHO = "%%nango_trigger demo echo ada"


def test_expressions_in_the_cell(local: Kernel) -> None:
    local.ok(
        "import datetime, pandas as pd, numpy as np, dataclasses, pydantic\n"
        "df = pd.DataFrame({'a': [1, None], 'when': pd.to_datetime(['2026-01-02', None])})\n"
        "Point = dataclasses.make_dataclass('Point', ['x'])\n"
        "Model = pydantic.create_model('Model', n=(int, 1))\n"
        "name, day, braces = 'A \"q\"', datetime.date(2026, 1, 2), '{{ name }}'"
    )
    local.ok(
        f"{ECHO} --out x\n"
        '{"rows": {{ df }}, "n": {{ np.int64(3) }}, "list": {{ np.arange(2) }}, "day": {{ day }},\n'
        ' "point": {{ Point(1) }}, "model": {{ Model() }}, "text": "hi {{ name }} {{ day }}",\n'
        ' "once": "{{ braces }}", "value": {{ braces }}, "sum": {{ {"k": {"l": 1}}["k"] }}}'
    )
    found = json.loads(local.ok("print(x.to_json(None))").text)
    assert found == {
        "rows": [
            {"a": 1.0, "when": "2026-01-02T00:00:00"},
            {"a": None, "when": None},
        ],
        "n": 3,
        "list": [0, 1],
        "day": "2026-01-02",
        "point": {"x": 1},
        "model": {"n": 1},
        "text": 'hi A "q" 2026-01-02',
        "once": "{{ name }}",
        "value": "{{ name }}",
        "sum": {"l": 1},
    }


def test_an_unknown_name_is_an_error_with_its_place(local: Kernel) -> None:
    local.ok("customer = 1")
    reply = local.run(ECHO + '\n{"a": 1,\n "b": {{ custmer }}}')
    assert reply.error == "NangoUsageError"
    assert "line 2" in reply.traceback
    assert "Did you mean customer?" in reply.traceback


def test_yaml_and_files(local: Kernel, tmp_path: Path) -> None:
    local.ok(f"{ECHO} --out x\nmsg: hello {{{{ 1 + 1 }}}}\nno: no\nrows:\n  - {{a: 1}}")
    assert local.ok("print(x.return_value)").text.strip() == (
        "{'msg': 'hello 2', 'no': 'no', 'rows': [{'a': 1}]}"
    )
    (tmp_path / "input.json").write_text('{"a": "{{ 1 }}"}')
    reply = local.ok(f"x = %nango_trigger demo echo ada --input '{tmp_path}/input.json'\nx['a']")
    assert reply.plain == "'{{ 1 }}'"
    assert "no file" in local.run("%nango_trigger demo echo ada --input nope.json").traceback


def test_a_semicolon_silences(local: Kernel) -> None:
    for code in (
        "%nango_trigger demo echo ada 1;",
        "%nango_status;",
        f'{ECHO}\n{{"a": 1}};',
        f"{ECHO};\na: 1",
        f"{ECHO}\na: 1\n;",
    ):
        assert local.ok(code).data == [], code
    assert local.ok("x = %nango_trigger demo echo ada 5;\nx.return_value").plain == "5"
    assert local.ok(f'{ECHO}\n"a;"').html


def test_results_go_into_variables(local: Kernel) -> None:
    for code in (
        'x << demo echo ada {"n": 1}',
        'demo echo ada {"n": 1} --out x',
        'demo echo --out x ada {"n": 1}',
    ):
        local.ok("x = None")
        assert local.ok(f"%nango_trigger {code}").data == []
        assert local.ok("x['n']").plain == "1"
    assert local.ok("%%nango_trigger y << demo echo ada\n{}\n").data == []
    assert local.ok("y.return_value").plain == "{}"
    for code in ("--out class", "--out 1x", "--out x.y"):
        assert local.run(f"%nango_trigger demo echo ada 1 {code}").error == "NangoUsageError"


def test_results_as_frames(local: Kernel) -> None:
    contacts = "crm list-contacts ada --polars --out frame"
    local.ok(f"%nango_trigger {contacts}")
    assert local.ok("type(frame).__module__.split('.')[0], frame.height > 5").plain == (
        "('polars', True)"
    )
    local.ok('frame = %nango_trigger demo echo ada [{"a": {"b": 1}}] --frame')
    assert local.ok("list(frame.columns)").plain == "['a.b']"
    reply = local.run("%nango_trigger demo echo ada 1 --frame")
    number = reply.traceback.rpartition("%nango_history ")[2].strip(" .\n")
    assert local.ok(f"x = %nango_history {number}\nx.return_value").plain == "1"


def test_neither_pandas_nor_polars_is_imported_before(tmp_path: Path) -> None:
    with Kernel(tmp_path, {"TOKEN": "crm-demo-token"}) as kernel:
        kernel.ok(
            "%load_ext nango_jupyter\n%nango_connect --local\n"
            "%nango_register crm ada --token-env TOKEN"
        )
        kernel.ok("%nango_trigger crm list-contacts ada")
        kernel.ok("import sys")
        assert kernel.ok("{'pandas', 'polars'} & set(sys.modules)").plain == "set()"
        kernel.ok("x = %nango_trigger crm list-contacts ada --frame")
        assert kernel.ok("'pandas' in sys.modules, 'polars' in sys.modules").plain == (
            "(True, False)"
        )


def test_history_and_rerun(local: Kernel) -> None:
    local.ok('x = %nango_trigger demo echo ada {"token": "xoxb-kept-away", "n": 41}')
    local.run('%nango_trigger demo fail ada {"message": "boom"}')
    history = local.ok("%nango_history")
    assert "xoxb" not in history.all_text
    assert "demo.fail" in history.plain
    assert "boom" in history.plain
    numbers = [line.split()[0] for line in history.plain.splitlines() if "demo." in line]
    again = local.ok(f"x = %nango_history --rerun {numbers[-2]}\nx['n']")
    assert again.plain == "41"
    failed = local.ok(f"%nango_history {numbers[-1]}")
    assert "failed" in failed.html
    assert local.run("%nango_history 99999").error == "NangoUsageError"
    assert local.run("%nango_history --rerun x").error == "NangoUsageError"


def test_a_job_is_not_waited_for(local: Kernel) -> None:
    reply = local.ok('job = %nango_trigger demo sleep ada {"seconds": 0.5} --no-wait\njob.done()')
    assert reply.plain == "False"
    assert local.ok("job.result().success, job.done()").plain == "(True, True)"
    assert "demo.sleep" in local.ok("%nango_jobs").plain
    local.ok('job = %nango_trigger demo sleep ada {"seconds": 60} --no-wait')
    assert local.ok("job.cancel(), job.done()").plain == "(True, True)"
    awaited = local.ok("job = %nango_trigger demo echo ada 7 --no-wait\n(await job).return_value")
    assert awaited.plain == "7"


def test_errors_of_the_server_are_cards_unless_they_are_caught(local: Kernel) -> None:
    reply = local.run('%nango_trigger demo fail ada {"message": "<b>boom</b>"}')
    assert "&lt;b&gt;boom" in reply.html
    assert len(reply.traceback.splitlines()) == 1
    caught = local.ok(
        'try:\n    %nango_trigger demo fail ada {"message": "boom"}\nexcept Exception: pass'
    )
    assert caught.data == []
    assert "Did you mean echo?" in local.run("%nango_trigger demo ecoh ada").html


def test_what_can_not_be_is_refused_before_anything_is_sent(local: Kernel) -> None:
    before = local.ok("h = %nango_history\nlen(h)").plain
    for code in (
        "%nango_trigger demo echo ada 1 --no-wait --frame",
        "%nango_trigger demo echo ada 1 --concurrency 3",
        "%nango_trigger demo echo ada 1 --stop-on-error",
        "%nango_status x << default",
        "%nango_jobs x << 1",
    ):
        assert local.run(code).error == "NangoUsageError", code
    assert local.ok("h = %nango_history\nlen(h)").plain == before


def test_the_kept_result_is_the_one_that_was_meant(local: Kernel) -> None:
    local.ok('job = %nango_trigger demo sleep ada {"seconds": 0.3} --no-wait')
    reply = local.run("%nango_trigger demo echo ada 77 --frame")
    number = reply.traceback.rpartition("%nango_history ")[2].strip(" .\n")
    assert local.ok(f"x = %nango_history {number}\nx.return_value").plain == "77"


def test_lists_are_put_where_the_line_says(local: Kernel) -> None:
    local.ok('%nango_trigger demo echo ada "x"')
    for silent in ("%nango_history;", "%nango_jobs;", "%nango_history --out entries"):
        assert not local.ok(silent).data, silent
    assert "success" in local.ok("print(entries[-1].outcome)").text
    assert "which entry" in local.run("%nango_history --frame").traceback
