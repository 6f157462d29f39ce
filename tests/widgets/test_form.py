"""What every form does, in a real kernel; clicks come from another thread, as in JupyterLab."""

from collections.abc import Iterator

import pytest

from tests.support.kernel import Kernel

SETUP = """
%load_ext nango_jupyter
import asyncio, gc, logging, threading, time
import ipywidgets
from nango_jupyter.exceptions import NangoServerError, NangoUsageError
from nango_jupyter.widgets import look
from nango_jupyter.widgets.form import Form

ran = []

class Echo(Form):
    def __init__(self, seconds=0.05):
        super().__init__()
        self.seconds = seconds
        self.seen = 0
        self.go = look.button("Go")
        self.go.on_click(self.guarded(self._on_go))
        self.buttons = (self.go,)
        name = look.field(ipywidgets.Text, "Name")
        self.lay_out(name, self.go, self.cancel_button, self.status, self.result)

    def refresh(self):
        self.seen += 1
        self.thread = threading.current_thread()

    async def work(self):
        ran.append(threading.current_thread() is threading.main_thread())
        await asyncio.sleep(self.seconds)
        return "back"

    def _on_go(self, _):
        self.begin(self.work, "Going", self.came)

    def came(self, result):
        self.say(f"it came {result}", "ok")

def click(button):
    thread = threading.Thread(target=button.click)
    thread.start()
    thread.join()

def text(form):
    import html, re
    return html.unescape(re.sub("<[^>]+>", "", form.status.value))

async def until(check):
    for _ in range(400):
        if check():
            return
        await asyncio.sleep(0.025)
    raise AssertionError("it did not come")
"""


@pytest.fixture(scope="module")
def shared_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with Kernel(tmp_path_factory.mktemp("home")) as kernel:
        kernel.ok(SETUP)
        yield kernel


@pytest.fixture
def kernel(shared_kernel: Kernel) -> Kernel:
    shared_kernel.ok("ran.clear(); form = Echo()")
    return shared_kernel


def test_a_click_in_another_thread_works_on_the_main_loop(kernel: Kernel) -> None:
    kernel.ok("click(form.go)")
    kernel.ok("await until(lambda: not form.go.disabled)")
    assert kernel.ok("print(ran, text(form))").text.strip() == "[True] it came back"


def test_a_double_click_runs_once(kernel: Kernel) -> None:
    kernel.ok("form.seconds = 0; click(form.go); await asyncio.sleep(0.1); click(form.go)")
    kernel.ok("assert form.go.disabled")
    kernel.ok("await until(lambda: not form.go.disabled); click(form.go)")
    kernel.ok("await until(lambda: not form.go.disabled)")
    assert kernel.ok("print(ran)").text.strip() == "[True, True]"


def test_a_click_while_a_cell_awaits_works(kernel: Kernel) -> None:
    kernel.ok("click(form.go)\nawait until(lambda: 'back' in text(form))")


def test_a_click_while_a_cell_blocks_waits_and_says_so(kernel: Kernel) -> None:
    kernel.ok("click(form.go); time.sleep(0.3); seen = text(form)")
    assert kernel.ok("print(seen)").text.strip() == "Waiting for the kernel: a cell is running…"
    kernel.ok("await until(lambda: 'back' in text(form))")


def test_cancel(kernel: Kernel) -> None:
    kernel.ok("form.seconds = 60; click(form.go)\nawait until(lambda: 'Going' in text(form))")
    kernel.ok("assert form.cancel_button.layout.visibility == 'visible'")
    kernel.ok("click(form.cancel_button)\nawait until(lambda: text(form) == 'Cancelled.')")
    kernel.ok("await until(lambda: not form.go.disabled)")
    kernel.ok("assert form.cancel_button.layout.visibility == 'hidden'")
    kernel.ok("others = [t for t in asyncio.all_tasks() if 'Worker' in repr(t)]; assert not others")


def test_cancel_of_what_was_not_begun(kernel: Kernel) -> None:
    kernel.ok("click(form.go); click(form.cancel_button)")
    kernel.ok("await until(lambda: not form.go.disabled)")
    assert kernel.ok("print(ran, text(form))").text.strip() == "[] Cancelled."


def test_the_time_that_has_passed_is_shown(kernel: Kernel) -> None:
    kernel.ok("form.seconds = 60; click(form.go)\nawait until(lambda: text(form) == 'Going… 2 s')")
    kernel.ok("form.close()")


WRONG = """
def wrong(*_):
    raise NangoUsageError("<b>no", "Say yes.")

async def wrong_work():
    wrong()

if {where!r} == "callback":
    form.go._click_handlers.callbacks.clear()
    form.go.on_click(form.guarded(wrong))
elif {where!r} == "work":
    form.work = wrong_work
else:
    form.came = wrong
"""


@pytest.mark.parametrize("where", ["callback", "work", "done"])
def test_every_error_ends_in_the_form(kernel: Kernel, where: str) -> None:
    kernel.ok(WRONG.format(where=where))
    kernel.ok("click(form.go)\nawait until(lambda: 'Say yes' in text(form))")
    kernel.ok(
        "assert text(form) == '<b>no\\nSay yes.'; assert 'role=\"alert\"' in form.status.value"
    )


def test_an_error_that_is_not_ours_is_shown_and_logged(kernel: Kernel) -> None:
    kernel.ok("async def wrong(): 1 / 0\nform.work = wrong")
    kernel.ok("click(form.go)\nawait until(lambda: 'ZeroDivisionError: division' in text(form))")


def test_it_hears_of_changes_on_the_main_loop(kernel: Kernel) -> None:
    kernel.ok("seen = form.seen")
    kernel.ok("%nango_connect --local")
    kernel.ok(
        "await until(lambda: form.seen > seen); assert form.thread is threading.main_thread()"
    )
    kernel.ok("seen = form.seen")
    kernel.ok("%nango_close")
    kernel.ok("await until(lambda: form.seen > seen)")


COUNT = """
gc.collect()
models = ipywidgets.widgets.widget._instances
print(len(models), len(form.session.changes), len(asyncio.all_tasks()))
"""


def test_running_a_cell_again_leaves_nothing(kernel: Kernel) -> None:
    kernel.ok("form.close()")
    kernel.ok("form = Echo(60); form.go.click(); form")
    before = kernel.ok(COUNT).text
    for _ in range(100):
        kernel.ok("form = Echo(60); form.go.click(); form")
    kernel.ok("await asyncio.sleep(0.1)")
    assert kernel.ok(COUNT).text == before


def test_running_a_cell_with_the_panel_again_leaves_nothing(kernel: Kernel) -> None:
    kernel.ok("%nango")
    before = kernel.ok(COUNT).text
    for _ in range(3):
        kernel.ok("%nango")
    assert kernel.ok(COUNT).text == before
    kernel.ok("%nango;")


def test_two_forms_of_one_cell_are_two(kernel: Kernel) -> None:
    kernel.ok("one, two = Echo(), Echo()")
    kernel.ok("click(one.go); click(two.go); await until(lambda: 'back' in text(one))")
    kernel.ok("await until(lambda: 'back' in text(two))")
    kernel.ok("first = one")
    kernel.ok("one, two = Echo(), Echo()")
    kernel.ok("assert first.comm is None and one.comm is not None and two.comm is not None")


def test_outside_of_a_notebook() -> None:
    from nango_jupyter import NangoUsageError
    from nango_jupyter.widgets.form import Form

    with pytest.raises(NangoUsageError, match="Forms need a notebook"):
        Form()
