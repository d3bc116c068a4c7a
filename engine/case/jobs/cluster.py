"""A batch on a Ray cluster: Ray schedules, tries again when a worker or a node dies, and carries the outcomes.

Clips must lie under the same paths on every node (a share), and Earwitness be installed on each. A worker keeps its models from
one clip to the next. Where the cluster has GPUs, four clips at a time share one; the other cores work without.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from types import ModuleType
from typing import Any

from engine.case.jobs.outcome import Outcome, bare, examine, from_json, to_json_text
from engine.case.jobs.results import Results
from engine.core.errors import InputError

_ON_A_GPU = 4  # clips at a time: decoding and hearing keep the processor busy meanwhile
_AHEAD = 2  # clips handed out per core, so that none waits for the driver
_RETRIES = 3
_LOOK_S = 20.0  # how often the cluster is asked what it has, when nothing comes in


def outcomes(paths: Sequence[str], settings: str, results: Results, address: str) -> Generator[Outcome, None, None]:
    """Outcomes as they come.

    Args:
        address: of a Ray cluster, or "auto" for the one of this machine.

    Raises:
        InputError: Ray is not installed, or there is no cluster.
    """
    ray = _joined(address)
    remote = ray.remote(num_cpus=1, max_retries=_RETRIES, retry_exceptions=False, max_calls=0)(_examine)
    tasks = {"gpu": remote.options(num_gpus=1 / _ON_A_GPU), "cpu": remote}
    waiting, out = deque(paths), dict[Any, tuple[str, str]]()
    try:
        while waiting or out:
            slots = _slots(ray)
            for reference, (_, kind) in list(out.items()):
                if not slots[kind]:  # the nodes that had it are gone, and Ray would wait for others
                    ray.cancel(reference, force=True)
                    waiting.append(out.pop(reference)[0])
            for kind, slot in slots.items():
                while waiting and sum(k == kind for _, k in out.values()) < _AHEAD * slot:
                    path = waiting.popleft()
                    out[tasks[kind].remote(path, settings, str(results.folder))] = path, kind
            ready, _ = ray.wait(list(out), num_returns=1, timeout=_LOOK_S)
            for reference in ready:
                path, _ = out.pop(reference)
                yield _outcome(ray, reference, path)
    finally:
        for reference in out:
            with contextlib.suppress(Exception):  # the cluster may be gone
                ray.cancel(reference, force=True)


def _joined(address: str) -> ModuleType:
    try:
        import ray
    except ImportError:
        raise InputError("Ray is not installed; install it with: make ray, or pip install 'earwitness[ray]'") from None
    none_there = f"There is no Ray cluster at {address} ({{}}); start one with: ray start --head --disable-usage-stats"
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and "/" not in address:  # Ray itself would try for a minute, and then end this process
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
        except (OSError, OverflowError) as error:
            raise InputError(none_there.format(getattr(error, "strerror", None) or "it does not answer")) from None
    try:
        with _own_signals():
            ray.init(address=address, log_to_driver=False, logging_level="error", ignore_reinit_error=True)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(none_there.format(reason)) from None
    return ray


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes the signals of a program that joins it, and ends it with a trace of its own; they are given back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


def _slots(ray: ModuleType) -> dict[str, int]:
    """How many clips the cluster can be at at a time, with a GPU and without; at least one without, for nodes yet to come."""
    held = ray.cluster_resources()
    with_gpu = min(int(held.get("GPU", 0) * _ON_A_GPU), int(held.get("CPU", 0)))
    return {"gpu": with_gpu, "cpu": max(1, int(held.get("CPU", 0)) - with_gpu)}


def _outcome(ray: ModuleType, reference: Any, path: str) -> Outcome:
    try:
        return from_json(ray.get(reference))
    except ray.exceptions.RayError as error:
        problem = f"The cluster gave up after {_RETRIES + 1} attempts ({type(error).__name__}); run the batch again."
        return Outcome(path, bare(path), problem=problem)


def _examine(path: str, settings: str, results: str) -> str:
    return to_json_text(examine(path, settings, results))
