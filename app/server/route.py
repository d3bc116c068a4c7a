"""The server's own routes: a file that a session opened, sent from disk in ranges; and uploads, written to disk as they come.

No path is ever part of an address. Whoever asks must know a token of 256 bits that was given to one session's page; uploads also
need a header that a page from elsewhere cannot send. The registry is the process's own: tokens end with the program.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from engine import EarwitnessError, InputError
from engine.case import PieceError, Uploads

MEDIA, UPLOAD = "/earwitness/media", "/earwitness/upload"
PIECE_BYTES = 8 * 2**20
_MOST_FACTS_BYTES = 8192
_MOST_TOKENS = 2000
_GUARDED = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class _Shared:
    path: str
    mime: str
    stamp: tuple[int, int, int]


@dataclass
class _Door:
    """One session's way to upload, and what came through it."""

    uploads: Uploads
    own: set[str] = field(default_factory=set)


_shared: OrderedDict[str, _Shared] = OrderedDict()
_doors: OrderedDict[str, _Door] = OrderedDict()
_lock = threading.Lock()
_installed = False


def installed() -> bool:
    """Whether this process serves these routes; it does not when only the pages were started."""
    return _installed


def share(path: str | os.PathLike[str], mime: str) -> str:
    """The address under which a file is sent to whoever knows it, as long as the file stays the one it is now."""
    token = secrets.token_urlsafe(32)
    with _lock:
        _shared[token] = _Shared(os.fspath(path), mime, _stamp(os.stat(path)))  # noqa: PTH116
        while len(_shared) > _MOST_TOKENS:
            _shared.popitem(last=False)
    return f"{MEDIA}/{token}"


def withdraw(address: str) -> None:
    """Send that file no more."""
    with _lock:
        _shared.pop(address.rpartition("/")[2], None)


def door(uploads: Uploads) -> str:
    """An address that takes uploads, for one session."""
    token = secrets.token_urlsafe(32)
    with _lock:
        _doors[token] = _Door(uploads)
        while len(_doors) > _MOST_TOKENS:
            _doors.popitem(last=False)
    return f"{UPLOAD}/{token}"


def arrived(address: str, upload: str) -> Path:
    """The file of a finished upload that came through this door.

    Raises:
        InputError: it did not, or something of it is missing.
    """
    entry = _doors.get(address.rpartition("/")[2])
    if entry is None or upload not in entry.own:
        raise InputError("There is no such upload any more; send the file again.")
    return entry.uploads.finish(upload)


def routes() -> list[Route]:
    """The routes, for the server to install."""
    global _installed
    _installed = True
    one = f"{UPLOAD}/{{door}}/{{upload}}"
    return [
        Route(f"{MEDIA}/{{token}}", _media, methods=["GET", "HEAD"]),
        Route(f"{UPLOAD}/{{door}}", _guarded(_begin), methods=["POST"]),
        Route(one, _guarded(_piece), methods=["PUT"]),
        Route(one, _guarded(_received), methods=["GET"]),
        Route(one, _guarded(_finish), methods=["POST"]),
        Route(one, _guarded(_drop), methods=["DELETE"]),
    ]


async def _media(request: Request) -> Response:
    entry = _shared.get(request.path_params["token"])
    if entry is None:
        return Response(status_code=404)
    try:
        now = await to_thread.run_sync(os.stat, entry.path)
    except OSError:
        return Response(status_code=410)
    if _stamp(now) != entry.stamp:
        return Response(status_code=410)
    return FileResponse(entry.path, media_type=entry.mime, headers=_GUARDED, stat_result=now)


_Answer = Callable[[Request, _Door], Awaitable[Response]]


def _guarded(answer: _Answer) -> Callable[[Request], Awaitable[Response]]:
    """Let in only who knows a door and comes from this very page; tell refusals in a sentence."""

    async def answered(request: Request) -> Response:
        entry = _doors.get(request.path_params["door"])
        if entry is None or not _from_our_page(request):
            return JSONResponse({"error": "This page is out of date; load it again."}, 403, _GUARDED)
        upload = request.path_params.get("upload")
        if upload is not None and upload not in entry.own:
            return JSONResponse({"error": "There is no such upload any more; send the file again."}, 404, _GUARDED)
        try:
            return await answer(request, entry)
        except PieceError as error:
            return JSONResponse({"error": str(error)}, 422, _GUARDED)
        except EarwitnessError as error:
            return JSONResponse({"error": str(error)}, 409, _GUARDED)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            remedy = "make room on it, then send the file again" if full else "look whether it is full or write-protected"
            return JSONResponse({"error": f"The disk refused it ({error.strerror}); {remedy}."}, 507, _GUARDED)

    return answered


def _from_our_page(request: Request) -> bool:
    """Another site's page can send neither the header nor the origin."""
    origin = request.headers.get("origin")
    same = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    return same and "x-earwitness" in request.headers and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


async def _begin(request: Request, entry: _Door) -> Response:
    try:
        facts = json.loads(await _body(request, _MOST_FACTS_BYTES))
    except (ValueError, RecursionError):
        facts = None
    name, size = (facts.get("name"), facts.get("size")) if isinstance(facts, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(size, int) or isinstance(size, bool):
        raise InputError("The file has no name or size; choose another one.")
    upload = await to_thread.run_sync(entry.uploads.begin, name, size)
    entry.own.add(upload)
    return JSONResponse({"id": upload}, headers=_GUARDED)


async def _piece(request: Request, entry: _Door) -> Response:
    at = request.query_params.get("at", "")
    if not at.isdecimal() or len(at) > 18:
        raise InputError("The piece does not say where it belongs; send the file again.")
    try:
        data = await _body(request, PIECE_BYTES)
    except ClientDisconnect:
        return Response(status_code=400)
    if request.query_params.get("size", str(len(data))) != str(len(data)):
        raise PieceError("A piece arrived shorter or longer than it was said to be; it has to be sent again.")
    sha256 = _digest(request.headers.get("x-earwitness-sha256", ""))
    now = await to_thread.run_sync(entry.uploads.append, request.path_params["upload"], int(at), data, sha256)
    return JSONResponse({"received": now}, headers=_GUARDED)


async def _finish(request: Request, entry: _Door) -> Response:
    """Compare the whole with what the browser read, and give it its name."""
    try:
        facts = json.loads(await _body(request, _MOST_FACTS_BYTES))
    except (ValueError, RecursionError):
        facts = None
    sha256 = facts.get("sha256") if isinstance(facts, dict) else None
    if not isinstance(sha256, str) or not sha256:
        raise InputError("The upload ends without a hash of the file; load the page again and send the file anew.")
    path = await to_thread.run_sync(entry.uploads.finish, request.path_params["upload"], _digest(sha256))
    return JSONResponse({"received": path.stat().st_size}, headers=_GUARDED)


def _digest(text: str) -> str:
    if text and not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise InputError("A SHA-256 has 64 hexadecimal digits; load the page again and send the file anew.")
    return text


async def _received(request: Request, entry: _Door) -> Response:
    now = await to_thread.run_sync(entry.uploads.received_bytes, request.path_params["upload"])
    return JSONResponse({"received": now}, headers=_GUARDED)


async def _drop(request: Request, entry: _Door) -> Response:
    upload = request.path_params["upload"]
    entry.own.discard(upload)
    await to_thread.run_sync(entry.uploads.remove, upload)
    return JSONResponse({}, headers=_GUARDED)


async def _body(request: Request, most: int) -> bytes:
    """The body, refused as soon as it is longer than allowed, whatever its header said."""
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > most:
            raise InputError("The piece is longer than allowed; load the page again and send the file anew.")
    return bytes(parts)


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
