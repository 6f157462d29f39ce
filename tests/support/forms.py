"""How a test uses forms, by code that runs in their kernel."""

CLICKING = """
import asyncio, html, re, threading

def click(button):
    thread = threading.Thread(target=button.click)  # as in JupyterLab
    thread.start()
    thread.join()

def text(widget):
    return html.unescape(re.sub("<[^>]+>", "", widget.value))

async def until(check, seconds=10):
    for _ in range(seconds * 40):
        if check():
            return
        await asyncio.sleep(0.025)
    raise AssertionError("it did not come")

async def run(form, button):
    click(button)
    await until(lambda: not form._worker.is_busy)
    return text(form.status)
"""
