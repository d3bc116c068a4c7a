"""`earwitness bench memory`: what a film costs in memory, from opening it in the app to the finding with every scene judged.

The app's own server is started with the film, a session is opened as a browser would, and the worker and its decoders come as
they always do. Twice a second each process is asked for its proportional set size: a page of memory that several share counts
once in all. It ends when the film's job has ended and the server has judged it and rests.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.core.errors import DataError, InputError
from engine.core.paths import ROOT
from engine.lab.bench.film import write_film

ROLES = ("server", "worker", "decoders")
STEP_S, RERUN_S = 0.5, 5.0
REST_S, REST = 10.0, 0.35  # the server rests when it took less than this share of a processor for so long
STARTING_S, MOST_JUDGING_S = 120.0, 1200.0
RERUN = b"\x5a\x00"  # Streamlit's message that asks for a page (BackMsg.rerun_script) without saying more; a test compares
_WORKER, _DECODER = "engine.case.jobs.worker", "engine.media.decoder"


@dataclass(frozen=True, slots=True)
class Sample:
    """What was held at a moment.

    Attributes:
        at_s: since the server was started.
        mb: megabytes (a million bytes) by role, of all processes of that role together.
        doing: what the worker was at, by its own word, or "".
    """

    at_s: float
    mb: dict[str, float]
    doing: str = ""

    @property
    def total_mb(self) -> float:
        return sum(self.mb.values())


@dataclass(frozen=True, slots=True)
class Course:
    """The memory of a film from the start of the server to its rest; `state` is how the job ended."""

    film_s: float
    seconds: float
    samples: tuple[Sample, ...]
    state: str
    scenes: int

    def peak(self, role: str = "") -> Sample:
        """The moment at which a role, or all together, held most."""
        return max(self.samples, key=lambda s: s.mb.get(role, 0.0) if role else s.total_mb)


def resident_mb(pid: int) -> float:
    """Proportional set size of a process; resident size where the system does not tell that; 0 when it is gone."""
    with suppress(OSError):
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024 / 1e6
    import psutil

    with suppress(psutil.Error):
        return float(psutil.Process(pid).memory_info().rss) / 1e6
    return 0.0


def by_role(pid: int) -> dict[str, float]:
    """Megabytes by role of a server and all that it started."""
    import psutil

    held = dict.fromkeys(ROLES, 0.0)
    held["server"] += resident_mb(pid)
    with suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                words = child.cmdline()
                role = "worker" if _WORKER in words else "decoders" if _DECODER in words else "server"
                held[role] += resident_mb(child.pid)
    return held


def measure(film: Path, say: Callable[[str], None] = lambda _: None) -> Course:
    """Open a film in the app, in folders of its own, and watch the memory until it is judged.

    Raises:
        DataError: the server does not start, or the film cannot be examined.
    """
    from engine.case.jobs.queue import Queue
    from engine.case.jobs.results import Results
    from engine.case.jobs.upload import Uploads

    samples: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="earwitness-") as name:
        kept = Path(name)
        queue = Queue(kept / "jobs", Results(kept / "results"), Uploads(kept / "uploads"))
        began = time.monotonic()
        try:
            with _server(film, kept) as (pid, port), _session(port):
                job, over_s, busy = "", float("inf"), [_busy_s(pid)]
                while True:
                    time.sleep(STEP_S)
                    now_s = time.monotonic() - began
                    job = job or next(iter(queue.jobs()), "")
                    doing = "" if not job else _doing(kept / "jobs" / job) if now_s < over_s else "judging, in the server"
                    samples.append(Sample(now_s, by_role(pid), doing))
                    say(f"{now_s:6.0f} s  {samples[-1].total_mb:6,.0f} MB  {doing}")
                    if job and over_s > now_s and (kept / "jobs" / job / "outcome.json").is_file():
                        over_s = now_s
                    busy = [*busy[-round(REST_S / STEP_S) :], _busy_s(pid)]
                    rests = busy[-1] - busy[0] < REST * REST_S
                    if now_s > over_s + MOST_JUDGING_S or (now_s > over_s + RERUN_S + REST_S and rests):
                        break
                    if not job and now_s > STARTING_S:
                        raise DataError("The server did not open the film; try: earwitness app FILM")
            status = queue.status(job)
            if status.state != "done":
                raise DataError(f"The film was not examined: {status.error or status.state}; try: earwitness locate FILM")
            from engine.analysis.judge import scenes

            perception = queue.result(job)
            return Course(
                perception.interval.length_s,
                time.monotonic() - began,
                tuple(samples),
                status.state,
                len(scenes(perception)),
            )
        finally:
            queue.stop_worker()


def _doing(job: Path) -> str:
    """The stages that a job is at."""
    try:
        stages = json.loads((job / "progress.json").read_text(encoding="utf-8"))["stages"]
    except (OSError, ValueError, KeyError):
        return ""
    return ", ".join(s["name"] for s in stages if s["ended"] is None)


def _busy_s(pid: int) -> float:
    """Processor seconds that the server has taken, the worker and the decoders left out."""
    import psutil

    total = 0.0
    with suppress(psutil.Error):
        first = psutil.Process(pid)
        for one in (first, *first.children(recursive=True)):
            with suppress(psutil.Error):
                if not {_WORKER, _DECODER} & set(one.cmdline()):
                    spent = one.cpu_times()
                    total += spent.user + spent.system
    return total


@contextmanager
def _server(film: Path, kept: Path) -> Iterator[tuple[int, int]]:
    """The app's server with a film to open, its work kept in a folder; yields its process id and port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    words = [sys.executable, "-m", "engine.cli", "app", str(film), "--port", str(port), "--no-browser", "--no-token"]
    log = kept / "server.log"
    with log.open("wb") as sink:
        environment = {**os.environ, "EARWITNESS_KEPT": str(kept), "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        until = time.monotonic() + STARTING_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                    break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    last = (log.read_text(errors="replace").strip().splitlines() or ["it says nothing"])[-1]
                    raise DataError(f"The app's server does not start ({last[:200]}); try: earwitness app") from None
                time.sleep(0.2)
        yield process.pid, port
    finally:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, sign)
                process.wait(20)
                break


@contextmanager
def _session(port: int) -> Iterator[None]:
    """A session as a browser has one: it takes what the server sends, and asks for the page again every RERUN_S."""
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect
    from websockets.typing import Origin, Subprotocol

    ended = threading.Event()
    address, words = f"127.0.0.1:{port}", [Subprotocol("streamlit")]
    with connect(f"ws://{address}/_stcore/stream", origin=Origin(f"http://{address}"), subprotocols=words, max_size=None) as held:

        def ask() -> None:
            with suppress(ConnectionClosed):
                while not ended.wait(RERUN_S):
                    held.send(RERUN)

        def take() -> None:
            with suppress(ConnectionClosed):
                for _ in held:
                    pass

        held.send(RERUN)
        threads = [threading.Thread(target=work, daemon=True) for work in (ask, take)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench memory`."""
    parser.add_argument("minutes", metavar="MINUTES", type=float, nargs="?", default=10.0, help="of film drawn (default: 10)")
    parser.add_argument("--film", type=Path, default=None, help="a film of your own instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers, and every sample, to this file")


def run(args: argparse.Namespace) -> int:
    """Measure and print the table."""
    if args.minutes <= 0:
        raise InputError(f"A film of {args.minutes:g} minutes cannot be drawn; give a number above zero.")

    def say(text: str) -> None:
        if sys.stderr.isatty():
            print(f"{text:79}"[:79], end="\r", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="earwitness-") as folder:
        film = args.film or Path(folder) / "film.mp4"
        if args.film is None:
            write_film(film, args.minutes, args.seed, say)
        course = measure(film, say)
    print(table(course))
    if args.json:
        args.json.write_text(json.dumps(data(course), indent=1), encoding="utf-8")
    return 0


def table(course: Course) -> str:
    """Most that each role held, and all together, and what the worker was at."""
    lines = [f"{course.film_s:.0f} s of film, {course.scenes} scenes, {course.seconds:.0f} s", ""]
    lines.append(f"{'MB':10} {'most':>7} {'at s':>7} {'at the end':>11}   the worker was")
    last = course.samples[-1]
    for role in (*ROLES, ""):
        peak = course.peak(role)
        most, end = (s.mb[role] if role else s.total_mb for s in (peak, last))
        lines.append(f"{role or 'together':10} {most:7,.0f} {peak.at_s:7.0f} {end:11,.0f}   {peak.doing}")
    lines += ["", f"{'together, MB':>12}   while"]
    for doing in dict.fromkeys(s.doing for s in course.samples):
        most = max(s.total_mb for s in course.samples if s.doing == doing)
        lines.append(f"{most:12,.0f}   {doing or 'starting'}")
    return "\n".join(lines)


def data(course: Course) -> dict[str, object]:
    """The same numbers and every sample."""
    return {
        "film_s": course.film_s,
        "scenes": course.scenes,
        "seconds": course.seconds,
        "peak_mb": {role: course.peak(role).mb[role] for role in ROLES} | {"together": course.peak().total_mb},
        "peak_at": asdict(course.peak()),
        "end_mb": course.samples[-1].mb | {"together": course.samples[-1].total_mb},
        "samples": [{"at_s": round(s.at_s, 1), **{k: round(v, 1) for k, v in s.mb.items()}} for s in course.samples],
    }
