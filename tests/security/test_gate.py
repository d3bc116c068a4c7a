"""Who is let in: the server's own names, its own pages, whoever knows the token; and nobody for ever on half a request."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.server.gate import Gate, cookie_name, cookie_value
from app.server.patience import PatientProtocol

TOKEN = "a-token-of-the-tests"
STREAM = "ws://127.0.0.1:8501/_stcore/stream"
COOKIE = {"Cookie": f"{cookie_name(8501)}={cookie_value(TOKEN)}"}
asked: list[str] = []


async def _page(request: Request) -> PlainTextResponse:
    asked.append(request.url.path)
    return PlainTextResponse("the page", headers={"Content-Security-Policy": "sandbox", "X-Frame-Options": "SAMEORIGIN"})


async def _body(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _stream(socket: WebSocket) -> None:
    asked.append("stream")
    await socket.accept()
    await socket.close()


def behind() -> Starlette:
    routes = [Route("/upload", _body, methods=["PUT"]), WebSocketRoute("/_stcore/stream", _stream)]
    return Starlette(routes=[*routes, Route("/{rest:path}", _page, methods=["GET", "POST"])])


def client(token: str = TOKEN, origins: tuple[str, ...] = (), base_url: str = "http://127.0.0.1:8501") -> TestClient:
    asked.clear()
    return TestClient(Gate(behind(), token, origins), base_url=base_url, follow_redirects=False)


@pytest.mark.parametrize(
    "host",
    ["rebound.example:8501", "127.0.0.1:9999", "127.0.0.1", "localhost:80", "0.0.0.0:8501", "127.0.0.1:8501.rebound.example",
     "127.0.0.1:8501@rebound.example", "rebound.example", "", "localhost:08501", "127.1:8501", "2130706433:8501"],
)  # fmt: skip
def test_another_name_is_refused_before_anything_behind_is_asked(host: str) -> None:
    for path in ("/", "/_stcore/health", "/media/x"):
        assert client().get(path, headers={"Host": host, **COOKIE}).status_code == 403
    with pytest.raises(WebSocketDisconnect), client().websocket_connect(STREAM, headers={"Host": host, **COOKIE}):
        pass
    assert asked == []


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "LOCALHOST:8501"])
def test_own_names(host: str) -> None:
    assert client().get("/", headers={"Host": host, **COOKIE}).text == "the page"


@pytest.mark.parametrize("count", [0, 2])
def test_a_request_has_one_host(count: int) -> None:
    """Two could be read one way here and another way behind."""
    said: list[Any] = []
    headers = [(b"host", b"127.0.0.1:8501")] * count + [(b"cookie", COOKIE["Cookie"].encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers, "server": ("127.0.0.1", 8501)}

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(Gate(behind(), TOKEN)(scope, None, send))  # type: ignore[arg-type]
    assert said[0]["status"] == 403


@pytest.mark.parametrize(
    "origin",
    ["http://elsewhere.example", "http://127.0.0.1:9999", "http://localhost:3000", "https://127.0.0.1:8501", "null",
     "http://127.0.0.1:8501.elsewhere.example", "http://127.0.0.1", "file://"],
)  # fmt: skip
def test_another_origin_is_refused(origin: str) -> None:
    headers = {"Origin": origin, **COOKIE}
    assert client().get("/", headers=headers).status_code == 403
    assert client().post("/", headers=headers).status_code == 403
    with pytest.raises(WebSocketDisconnect), client().websocket_connect(STREAM, headers=headers):
        pass
    assert asked == []


def test_own_pages_are_let_in() -> None:
    for headers in (
        {},
        {"Origin": "http://127.0.0.1:8501"},
        {"Origin": "http://127.0.0.1:8501", "Sec-Fetch-Site": "same-origin"},
    ):
        assert client().get("/", headers={**headers, **COOKIE}).status_code == 200
    with client().websocket_connect(STREAM, headers={"Origin": "http://127.0.0.1:8501", **COOKIE}):
        pass
    assert asked == ["stream"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_elsewhere_may_link_but_not_embed(site: str) -> None:
    """Another port of this machine is the same site, so that the browser sends it the cookie."""
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", **COOKIE}
    assert client().get("/", headers=link).status_code == 200
    for other in ({"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "video"}):
        assert client().get("/", headers=link | other).status_code == 403
    assert client().post("/", headers=link).status_code == 403


def test_a_further_origin_is_let_in_when_it_was_named() -> None:
    headers = {"Host": "localhost:9000", "Origin": "http://localhost:9000", **COOKIE}
    assert client().get("/", headers=headers).status_code == 403
    assert client(origins=("http://localhost:9000",)).get("/", headers=headers).status_code == 200
    assert client(origins=("http://localhost:9000",)).get("/", headers=headers | {"Host": "x.example"}).status_code == 403


def test_the_token_becomes_a_cookie_and_leaves_the_address() -> None:
    c = client()
    refused = c.get("/claim")
    assert refused.status_code == 403 and "printed" in refused.text and TOKEN not in refused.text and asked == []
    to = c.get(f"/claim?a=1&token={TOKEN}&b=%26")
    assert (to.status_code, to.headers["location"]) == (303, "/claim?a=1&b=%26") and asked == []
    cookie = to.headers["set-cookie"].lower()
    assert cookie.startswith("earwitness-8501=") and "httponly" in cookie and "samesite=strict" in cookie
    assert TOKEN not in cookie and to.headers["cache-control"] == "no-store"
    assert c.get("/claim").text == "the page"  # the client has kept the cookie
    with c.websocket_connect(STREAM):
        pass


@pytest.mark.parametrize("given", ["", "x", TOKEN[:-1], TOKEN + "x", "\N{SNOWMAN}", TOKEN.upper()])
def test_a_wrong_token(given: str) -> None:
    c = client()
    assert c.get("/", params={"token": given}).status_code == 403
    for name, value in ((cookie_name(8501), given), (cookie_name(8501), TOKEN), (cookie_name(8502), cookie_value(TOKEN))):
        assert c.get("/", headers={"Cookie": f"{name}={value}".encode()}).status_code == 403  # type: ignore[dict-item]
    for path in (
        "/_stcore/host-config",
        "/media/a",
        "/static/a.js",
        "/earwitness/media/a",
        "/_stcore/healthy",
        "//_stcore/health",
    ):
        assert c.get(path).status_code == 403
    assert c.put("/upload", content=b"x").status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        c.websocket_connect(f"{STREAM}?token={TOKEN}", headers={"Origin": "http://127.0.0.1:8501"}),
    ):
        pass
    assert asked == []


def test_another_servers_cookie_of_the_same_name_does_not_lock_us_out() -> None:
    both = f"{cookie_name(8501)}=theirs; x=1; {COOKIE['Cookie']}"
    assert client().get("/", headers={"Cookie": both}).status_code == 200


def test_the_health_route_needs_no_token_and_none_is_asked_where_none_is_wanted() -> None:
    assert client().get("/_stcore/health").status_code == 200
    assert client().post("/_stcore/health", headers={"Origin": "http://elsewhere.example"}).status_code == 403
    assert client(token="").get("/").status_code == 200


def test_the_address_after_the_token_is_never_another_server() -> None:
    for path in ("//elsewhere.example/", "/%5Celsewhere.example/", "///elsewhere.example"):
        to = client().get(f"http://127.0.0.1:8501{path}?token={TOKEN}").headers["location"]
        assert to.startswith("/") and not to.startswith(("//", "/\\", "/%5C")), to


def test_who_comes_from_outside_is_asked_again_by_a_page_of_ours() -> None:
    """A browser sends no strict cookie with what a file or another page opened."""
    outside = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert 'content="0;url=/"' in client().get("/", headers=outside).text
    assert "refresh" not in client().get("/", headers=outside | {"Sec-Fetch-Site": "same-origin"}).text


def test_every_answer_says_that_it_is_not_to_be_framed() -> None:
    for answer in (client().get("/"), client().get("/", headers=COOKIE), client().get("/", headers={"Host": "x"})):
        assert "frame-ancestors 'none'" in answer.headers.get_list("content-security-policy")
        assert answer.headers.get_list("x-frame-options") == ["DENY"] and answer.headers["referrer-policy"] == "no-referrer"
    assert "sandbox" in client().get("/", headers=COOKIE).headers.get_list("content-security-policy")  # the route's own stays


# --- half-open requests, on a real server -------------------------------------------------------------------------------


class _Impatient(PatientProtocol):
    headers_s = 0.3


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    held = socket.create_server(("127.0.0.1", 0))
    gate = Gate(behind(), silence_s=0.3, body_s=0.9)
    server = uvicorn.Server(
        uvicorn.Config(gate, http=_Impatient, ws="websockets-sansio", log_level="critical", lifespan="off", timeout_keep_alive=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
    thread.start()
    yield held.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    held.close()


def everything(link: socket.socket) -> bytes:
    """What comes until the server closes; a server that never does fails the test by the socket's time limit."""
    link.settimeout(15)
    parts = []
    try:
        while part := link.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def trickle(link: socket.socket, what: bytes) -> bytes:
    """Send a byte at a time until the server has closed; gives what it said."""
    said, over = [], threading.Event()

    def listen() -> None:
        said.append(everything(link))
        over.set()

    listener = threading.Thread(target=listen)
    listener.start()
    for byte in what:
        if over.wait(0.05):
            break
        try:
            link.send(bytes([byte]))
        except OSError:
            break
    listener.join()
    return said[0]


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1"])
def test_half_a_head_is_not_waited_for(port: int, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(begun)
        assert everything(link) == b""


def test_a_head_that_trickles_is_not_waited_for(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as link:
        assert trickle(link, b"GET / HTTP/1.1\r\n" + b"X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 100) == b""


def test_a_second_head_is_not_waited_for_either(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\nGET / HT".encode())
        assert everything(link).count(b"HTTP/1.1 200") == 1


def head(port: int, length: int) -> bytes:
    return f"PUT /upload HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {length}\r\n\r\n".encode()


def test_a_body_that_does_not_come_is_not_waited_for(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(head(port, 100) + b"half")
        assert everything(link).startswith(b"HTTP/1.1 408")


def test_a_body_that_trickles_is_not_waited_for(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(head(port, 1000))
        assert trickle(link, b"x" * 1000).startswith(b"HTTP/1.1 408")


def test_a_body_that_nobody_reads_is_not_waited_for(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(head(port, 1000).replace(b"127.0.0.1", b"elsewhere"))
        assert trickle(link, b"x" * 1000).startswith(b"HTTP/1.1 403")


def test_a_whole_request_is_answered(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(head(port, 4).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + b"four")
        assert everything(link).endswith(b"4")
