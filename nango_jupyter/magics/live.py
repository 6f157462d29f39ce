"""Cards that follow what they show: a job's changes when its result comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nango_jupyter.jobs import Job

__all__ = ["show_live"]


def show_live(job: Job) -> None:
    """Draw a job, and draw it again in the same place when it is done."""
    from IPython.display import display

    handle = display(job._repr_mimebundle_(), raw=True, display_id=True)
    if not job.done():
        job.add_done_callback(lambda done: handle.update(done._repr_mimebundle_(), raw=True))
