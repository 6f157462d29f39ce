"""The magics, in real kernels, on the embedded server and behind RabbitMQ alike."""

import json
import time

from tests.support.kernel import Kernel, Reply


def value(reply: Reply) -> object:
    """The JSON that a cell printed last."""
    return json.loads(reply.text.strip().splitlines()[-1])


def test_a_line_magic_returns_its_result(kernel: Kernel) -> None:
    reply = kernel.ok(
        'import json\nx = %nango_trigger demo echo ada {"a": [1, {"b": null}]}\n'
        "print(json.dumps([x.success, x.return_value]))"
    )
    assert value(reply) == [True, {"a": [1, {"b": None}]}]


def test_a_cell_magic_is_the_output(kernel: Kernel) -> None:
    reply = kernel.ok('%%nango_trigger demo echo ada\n{\n  "msg": "hé <b>🎉"\n}')
    assert "demo.echo" in reply.html
    assert "hé &lt;b&gt;🎉" in reply.html
    assert "hé <b>🎉" in reply.plain


def test_other_code_around_a_magic(kernel: Kernel) -> None:
    reply = kernel.ok(
        "a = 20\nx = %nango_trigger demo echo ada $a\nprint(x.return_value + 1)\n%nango_status"
    )
    assert reply.text.strip() == "21"
    assert "Connected" in reply.html


def test_in_a_function_with_its_own_variables(kernel: Kernel) -> None:
    reply = kernel.ok(
        "def ask(rows, n):\n"
        '    found = %nango_trigger demo echo ada {"rows": $rows, "n": $n, "text": "$n"}\n'
        "    return found.return_value\n"
        'ask([{"q": "it\'s"}], 7)'
    )
    assert "'rows': [{'q': \"it's\"}], 'n': 7, 'text': '$n'" in reply.plain


def test_in_a_for_loop(kernel: Kernel) -> None:
    reply = kernel.ok(
        'for i in range(3):\n    x = %nango_trigger demo echo ada {"i": $i}\n'
        '    print(x.return_value["i"])'
    )
    assert reply.text.split() == ["0", "1", "2"]


def test_under_time(kernel: Kernel) -> None:
    reply = kernel.ok('%%time\nx = %nango_trigger demo echo ada {"a": 1}')
    assert "Wall time" in reply.text


def test_under_capture(kernel: Kernel) -> None:
    assert not kernel.ok('%%capture kept\n%nango_trigger demo echo ada {"a": 1}').data
    assert "demo.echo" in kernel.ok("print(kept.outputs[0].data['text/html'])").text


def test_beside_await(kernel: Kernel) -> None:
    reply = kernel.ok(
        "import asyncio\nawait asyncio.sleep(0)\nstatus = %nango_status\n"
        'r = await status.client.trigger_action("demo", "echo", "ada", {"n": 1})\n'
        'x = %nango_trigger demo echo ada {"n": 2}\nawait asyncio.sleep(0)\n'
        "print(r.return_value, x.return_value)"
    )
    assert reply.text.strip() == "{'n': 1} {'n': 2}"


def test_many_at_once_from_the_client(kernel: Kernel) -> None:
    reply = kernel.ok(
        "import asyncio\nstatus = %nango_status\n"
        "rs = await asyncio.gather(*("
        'status.client.trigger_action("demo", "echo", "ada", i) for i in range(200)))\n'
        "print([r.return_value for r in rs] == list(range(200)))"
    )
    assert reply.text.strip() == "True"


def test_run_all_with_twenty_cells_behind(kernel: Kernel) -> None:
    kernel.ok("order = []")
    waits = '%nango_trigger demo sleep ada {"seconds": 0.05}'
    sent = [kernel.send(f"order.append({n})\n{waits}\norder.append({n})") for n in range(20)]
    replies = [kernel.wait(message_id) for message_id in sent]
    assert [reply.error for reply in replies] == [""] * 20
    reply = kernel.ok("print(order)")
    assert json.loads(reply.text) == [n for n in range(20) for _ in (1, 2)]


def test_stop_ends_a_waiting_trigger_and_the_next_one_works(kernel: Kernel) -> None:
    sent = kernel.send('print("begun")\n%nango_trigger demo sleep ada {"seconds": 20}')
    time.sleep(1)  # what is interrupted must be the waiting, not what comes before it
    begun = time.monotonic()
    kernel.manager.interrupt_kernel()
    reply = kernel.wait(sent)
    assert reply.error == "KeyboardInterrupt"
    assert len(reply.traceback.splitlines()) == 1
    assert time.monotonic() - begun < 3
    assert kernel.ok('x = %nango_trigger demo echo ada {"a": 1}\nprint(x.success)').text == "True\n"


def test_json_errors_show_the_place_and_send_nothing(kernel: Kernel) -> None:
    reply = kernel.run("%%nango_trigger demo echo ada\n{\n  \"a\": 1,\n  'b': 2\n}")
    assert reply.error == "NangoUsageError"
    assert "line 3, column 3" in reply.traceback
    lines = reply.traceback.splitlines()
    place = next(number for number, line in enumerate(lines) if line.strip() == "^")
    assert lines[place - 1][lines[place].index("^")] == "'"
    assert "double quotes" in reply.traceback


def test_errors_are_a_few_lines_without_inner_stack(kernel: Kernel) -> None:
    failures = [
        '%nango_trigger demo fail ada {"message": "boom"}',
        "%nango_trigger demo echo nobody",
        "%nango_trigger demo nope ada",
        "%nango_trigger demo",
        "%nango_trigger demo echo ada --timeot 3",
        "%nango_trigger demo echo $undefined",
        "%nango_register demo ada --token-env NOT_SET",
        "%nango_register demo bob",
        '%nango_register demo bob --token-env TOKEN --config ["no object"]',
        '%nango_trigger demo sleep ada {"seconds": 5} --timeout 0.2',
        "%nango_connect --local somewhere else",
        "%nango_connect --local --timeout -1",
        "folder = None\n%nango_connect --local $folder",
        "%nango_connect localhost:99999",
    ]
    for code in failures:
        reply = kernel.run(code)
        assert reply.error.startswith("Nango"), (code, reply)
        assert len(reply.traceback.splitlines()) <= 6, reply.traceback
        assert "site-packages" not in reply.traceback
        assert "Traceback" not in reply.all_text
    assert kernel.ok("%nango_status").error == ""


def test_registering_again_replaces_only_if_asked(kernel: Kernel) -> None:
    kernel.ok("import os\nos.environ['WRONG'] = 'wrong-token'")
    kernel.ok('%nango_register crm zoe --token-env WRONG --config {"page_size": 5}')
    again = kernel.run("%nango_register crm zoe --token-env TOKEN")
    assert "%nango_register … --replace" in again.all_text
    assert kernel.run("%nango_trigger crm list-contacts zoe").error == "NangoServerError"
    kernel.ok("%nango_register crm zoe --token-env TOKEN --replace")
    pages = "x = %nango_trigger crm list-contacts zoe\nprint(x['pages'])"
    assert kernel.ok(pages).text == "12\n"
    kernel.ok('%nango_register crm zoe --token-env TOKEN --replace --config {"page_size": 30}')
    assert kernel.ok(pages).text == "2\n"
    kernel.ok("%nango_register crm new --token-env TOKEN --replace")


def test_a_failed_connect_leaves_what_was_and_says_so(kernel: Kernel) -> None:
    reply = kernel.run("%nango_connect 127.0.0.1:1")
    assert reply.error == "NangoConnectionError"
    assert "Still connected to" in reply.traceback
    assert kernel.ok("x = %nango_trigger demo echo ada 1\nprint(x.success)").text == "True\n"


def test_an_error_among_several_lines_names_the_line(kernel: Kernel) -> None:
    reply = kernel.run("a = 1\nb = 2\nx = %nango_trigger demo nope ada\n")
    assert reply.traceback.splitlines()[0] == "In line 3"


def test_user_ids_keep_their_type(kernel: Kernel) -> None:
    kernel.ok("user = 7\n%nango_register demo $user --token-env TOKEN")
    reply = kernel.ok(
        "x = %nango_trigger demo whoami {user}\nprint(repr(x.return_value['userId']))"
    )
    assert reply.text.strip() == "7"
    assert kernel.run("%nango_trigger demo whoami 7").error == "NangoServerError"


def test_variables_inside_words_and_options(kernel: Kernel) -> None:
    kernel.ok(
        "for n in range(2):\n    %nango_register demo user-{n} --token-env TOKEN\n"
        "limit, name = 9, 'TOKEN'\n"
        '%nango_register demo "user $n/$limit" --token-env $name'
    )
    reply = kernel.ok(
        "users = {'last': 'user-1'}\n"
        "x = %nango_trigger demo whoami {users['last']} --timeout $limit\n"
        'y = %nango_trigger demo whoami "user 1/9" --timeout {limit / 2}\n'
        "print(x.return_value['userId'], y.return_value['userId'])"
    )
    assert reply.text.strip() == "user-1 user 1/9"


def test_a_pasted_token_is_not_repeated(kernel: Kernel) -> None:
    for code in (
        "%nango_register demo eve --token xoxb-pasted",
        "%nango_register demo eve --token-env xoxb-pasted",
        "%nango_register demo eve xoxb-pasted",
        "%nango_connect amqp://ada:first xoxb-pasted@host",
        "%nango_connect --local amqp://ada:xoxb-pasted@host localhost",
        "%nango_connect ada:xoxb-pasted@host",
        "%nango_connect amqp://ada:xoxb-pasted@host:port",
    ):
        reply = kernel.run(code)
        assert reply.error == "NangoUsageError"
        assert "xoxb" not in reply.all_text, code


def test_tokens_are_drawn_masked(kernel: Kernel) -> None:
    reply = kernel.ok(
        'x = %nango_trigger demo echo ada {"msg": "the crm-demo-token!", "api_key": "abc"}\n'
        "print(repr(x), x)\nx"
    )
    assert "crm-demo-token" not in reply.all_text
    assert "'abc'" not in reply.all_text
    assert "the ••••••!" in reply.html


def test_help_shows_usage_options_and_examples(local: Kernel) -> None:
    for name in ("nango_connect", "nango_register", "nango_trigger", "nango_status", "nango_close"):
        reply = local.ok(f"print(get_ipython().find_line_magic('{name}').__doc__)")
        assert f"%{name}" in reply.text
    reply = local.ok("print(get_ipython().find_line_magic('nango_trigger').__doc__)")
    assert "--timeout" in reply.text
    assert "list-contacts" in reply.text


def test_magics_from_a_thread(kernel: Kernel) -> None:
    reply = kernel.ok(
        "import asyncio\nshell = get_ipython()\n"
        "def ask(n):\n"
        "    return shell.run_line_magic('nango_trigger', f'demo echo ada {n}').return_value\n"
        "print(await asyncio.gather(*(asyncio.to_thread(ask, n) for n in range(5))))"
    )
    assert reply.text.strip() == "[0, 1, 2, 3, 4]"
