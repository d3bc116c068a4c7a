"""The progress bar: on stderr, and only when a person is looking at it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from engine.cli import stop
from engine.core.progress import Progress, ProgressCallback


@contextlib.contextmanager
def bar(quiet: bool = False) -> Iterator[ProgressCallback]:
    """A callback that draws one line per stage; silent when `quiet` or stderr is not a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: stop.check()
        return
    from rich import progress as rich
    from rich.console import Console
    from rich.markup import escape

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(bar_width=32),
        rich.TaskProgressColumn(),
        rich.TextColumn("{task.fields[amount]}"),
        rich.TimeElapsedColumn(),
    )
    bars: dict[str, rich.TaskID] = {}
    running: dict[str, str] = {}  # stage to its task, those that go on
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as drawn:

        def draw(step: Progress) -> None:
            stop.check()
            if step.stage not in bars:
                over = [stage for stage, task in running.items() if not step.task or task == step.task or not task]
                for stage in over:  # a new stage begins: the ones before it are over
                    total = drawn.tasks[drawn.task_ids.index(bars[stage])].total
                    drawn.update(bars[stage], completed=total or 1, total=total or 1)
                    del running[stage]
                running[step.stage] = step.task
                bars[step.stage] = drawn.add_task(escape(step.stage), total=step.total, amount="")
            drawn.update(bars[step.stage], completed=step.done, total=step.total, amount=_amount(step))

        yield draw


def _amount(step: Progress) -> str:
    if not step.unit:
        return ""
    whole = f" of {step.total:,.0f}" if step.total else ""
    return f"{min(step.done, step.total or step.done):,.0f}{whole} {step.unit}"
