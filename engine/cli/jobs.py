"""`earwitness jobs`: what the app has given to its worker, and how to stop it, take it up again or forget it."""

from __future__ import annotations

import argparse
from datetime import datetime

from engine.cli.terminal import plain
from engine.core.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness jobs`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--cancel", metavar="JOB", help="stop one")
    what.add_argument("--resume", metavar="JOB", help="resume one that was interrupted, stopped or failed")
    what.add_argument("--forget", metavar="JOB", help="remove a finished one from the list, and its uploaded copy")
    what.add_argument("--stop", action="store_true", help="stop the worker; its job can be resumed")
    what.add_argument("--clear", action="store_true", help="remove all finished jobs, cached results and uploads")


def run(args: argparse.Namespace) -> int:
    """Do what was asked; list the jobs when nothing was."""
    from engine.case.jobs.queue import Queue

    queue = Queue()
    if args.cancel is not None:
        queue.cancel(_one(queue.jobs(), args.cancel), wait=True)  # a thread that sees to it would end with this command
        return 0
    for act in ("resume", "forget"):
        if (asked := getattr(args, act)) is not None:
            getattr(queue, act)(_one(queue.jobs(), asked))
            return 0
    if args.stop:
        queue.stop_worker()
    elif args.clear:
        for job in queue.jobs():
            queue.forget(job)
        queue.results.clear()
    else:
        for t in queue.listed():
            s = queue.status(t.id)
            name = "sealed clip" if t.sealed and not t.shown else plain(t.title or t.path)
            when = datetime.fromtimestamp(t.created).isoformat(sep=" ", timespec="seconds")
            print(f"{t.id[-8:]}  {when}  {s.state:<12}  {name}{'  ' + plain(s.error or s.said) if s.error or s.said else ''}")
        print(f"Folder: {queue.folder.parent}.")
    return 0


def _one(jobs: tuple[str, ...], text: str) -> str:
    found = [j for j in jobs if j == text or j.endswith(text)]
    if len(found) != 1 or not text:
        raise InputError(f"There is no job {plain(text)}; see: earwitness jobs")
    return found[0]
