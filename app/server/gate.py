"""The gate in front of the server: who may ask. It stands before everything else, pages, films, uploads and Streamlit itself.

Three questions, in this order, for pages and WebSockets alike:

- Was it asked by one of the server's own names, with its own port? A page elsewhere can give itself a name that points to this
  machine (DNS rebinding); its requests then bear that name.
- Does it come from one of the server's own pages? Another site is another origin, and so is another port of this machine.
- Does it bear the token? Other users of this machine can reach the port, but do not know the token. It comes once in the
  address, and then as a cookie that scripts cannot read and other sites cannot send.

What takes longer to send its body than is reasonable is closed. The names of headers are those of RFC 9110, RFC 6265, Fetch
Metadata and CSP level 3.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
HEALTH = "/_stcore/health"
SILENCE_S = 30.0  # of a body, between two parts of it
BODY_S = 600.0  # of a whole body: the largest is a piece of an upload, 8 MB

_ON_ALL = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_FRESH = {"Cache-Control": "no-store"}
_NOT_OURS = (
    "This is Earwitness, which answers to its own address on this machine alone. If you forward its port, start it with "
    "--allow-origin and the address that your browser shows."
)
_FROM_ELSEWHERE = "This request comes from a page that is not Earwitness's own."
_TOO_SLOW = "The request took too long."
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Earwitness</title>{again}</head>
<body style="font-family: sans-serif; max-width: 40em; margin: 4em auto; line-height: 1.5">
<h1>Earwitness</h1><p>Earwitness is running, but this browser has no access yet. Open the address printed where Earwitness was
started; it ends with <code>?token=</code> and a long code.</p></body></html>"""
# A page that was opened from outside (a file, a mail) is not sent the cookie; asked for by a page of ours, it is.
_AGAIN = '<meta http-equiv="refresh" content="0;url=/">'


class Gate:
    """ASGI middleware that lets in only the server's own pages, shown by whoever knows the token.

    Args:
        app: what stands behind it.
        token: what must be known; "" asks for none.
        origins: further addresses under which browsers may see the server (forwarded ports), such as "http://localhost:9000".
        silence_s: how long a body may pause; `body_s`: how long it may take.
    """

    def __init__(
        self, app: ASGIApp, token: str = "", origins: Sequence[str] = (), silence_s: float = SILENCE_S, body_s: float = BODY_S
    ) -> None:
        self._app, self._token = app, token
        self._origins = frozenset(origins)
        self._silence_s, self._body_s = silence_s, body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = self._answer(scope)
        if answer is not None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the server answers 403
            else:
                answer.headers["Connection"] = "close"
                await answer(scope, receive, _dressed(send))
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._serve(scope, receive, _dressed(send))

    def _answer(self, scope: Scope) -> Response | None:
        """What is said at the gate itself; None lets the request through."""
        headers, port = Headers(scope=scope), int((scope.get("server") or ("", 0))[1] or 0)
        if not self._is_own_name(headers.getlist("host"), port):
            return PlainTextResponse(_NOT_OURS, 403)
        if not self._is_own_page(scope, headers, port):
            return PlainTextResponse(_FROM_ELSEWHERE, 403)
        if not self._token or (scope["type"] == "http" and scope["path"] == HEALTH):
            return None
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and b"token=" in scope["query_string"]:
            return self._shown(scope, port)
        if self._knows(headers.getlist("cookie"), port):
            return None
        outside = headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") == "navigate"
        return HTMLResponse(_PAGE.format(again=_AGAIN if outside else ""), 403, _FRESH)

    def _is_own_name(self, hosts: Sequence[str], port: int) -> bool:
        own = {f"{name}:{port}" for name in OWN_NAMES} | {urlsplit(origin).netloc for origin in self._origins}
        return len(hosts) == 1 and hosts[0].strip().lower() in own

    def _is_own_page(self, scope: Scope, headers: Headers, port: int) -> bool:
        own = {f"http://{name}:{port}" for name in OWN_NAMES} | self._origins
        if any(origin.strip().lower() not in own for origin in headers.getlist("origin")):
            return False
        if scope["type"] == "websocket" or headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            return True
        # A page elsewhere may link to us, but neither embed what we send nor ask for it.
        opened = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "document") == "document"
        return opened and scope["method"] in ("GET", "HEAD")

    def _shown(self, scope: Scope, port: int) -> Response:
        """The token is in the address: it becomes a cookie, and the address is asked for again without it."""
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given, others = [v for k, v in asked if k == "token"], [(k, v) for k, v in asked if k != "token"]
        if not any(_same(value, self._token) for value in given):
            return HTMLResponse(_PAGE.format(again=""), 403, _FRESH)
        path = "/" + scope["path"].lstrip("/\\")  # never "//host", which a browser takes for another server
        to = RedirectResponse(f"{path}?{urlencode(others)}" if others else path, 303, _FRESH)
        to.set_cookie(cookie_name(port), cookie_value(self._token), httponly=True, samesite="strict", path="/")
        return to

    def _knows(self, cookies: Sequence[str], port: int) -> bool:
        """Whether one of the cookies is ours; others of this machine's servers may have set one of the same name."""
        pairs = (part.strip().partition("=") for line in cookies for part in line.split(";"))
        return any([_same(value, cookie_value(self._token)) for name, _, value in pairs if name == cookie_name(port)])

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and end it when its body does not come."""
        until, complete, late, began = time.monotonic() + self._body_s, False, False, False

        async def received() -> Message:
            nonlocal complete, late
            if complete:
                return await receive()
            try:
                left_s = min(self._silence_s, until - time.monotonic())
                message = await asyncio.wait_for(receive(), max(0.0, left_s))
            except TimeoutError:
                complete = late = True
                return {"type": "http.disconnect"}
            complete = not message.get("more_body", False)
            return message

        async def sent(message: Message) -> None:
            nonlocal began
            if not late or began:
                began = True
                await send(message)

        try:
            await self._app(scope, received, sent)
        except Exception:
            if not late:
                raise
        if late and not began:
            await PlainTextResponse(_TOO_SLOW, 408, {"Connection": "close"})(scope, receive, send)


def cookie_name(port: int) -> str:
    """The cookie's name: browsers keep one set of cookies for all ports of a machine."""
    return f"earwitness-{port}"


def cookie_value(token: str) -> str:
    """What the cookie holds, from which the token cannot be found."""
    return hmac.digest(token.encode(), b"cookie", hashlib.sha256).hex()


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), known.encode())


def _dressed(send: Send) -> Send:
    """Answers bear the headers that all of them should; a policy of a route's own stands beside the one for all."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _ON_ALL.items():
                if name == "Content-Security-Policy":
                    headers.append(name, value)
                else:
                    headers[name] = value
        await send(message)

    return sent
