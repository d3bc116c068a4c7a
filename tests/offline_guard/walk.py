"""What a person does, in one process after the other, for `namespace.py` to watch: `python walk.py FOLDER CLIP [WHAT …]`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path


def cli(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "engine.cli", *words], check=True)


def locate(folder: Path, clip: Path) -> None:
    """One clip, with every document."""
    cli("locate", str(clip), *(f"--{kind}={folder / kind}.{kind}" for kind in ("json", "html", "pdf", "kml", "csv")))
    assert (folder / "pdf.pdf").read_bytes().startswith(b"%PDF") and (folder / "html.html").stat().st_size > 10_000


def batch(folder: Path, clip: Path) -> None:
    """Two clips, in two processes."""
    two = [folder / "a.wav", folder / "b.wav"]
    for number, path in enumerate(two):
        path.write_bytes(clip.read_bytes()[: -2 * number - 2])  # another hash, so that each is examined
    cli("batch", *map(str, two), "--case", str(folder / "case"), "--workers", "2")


def worker(folder: Path, clip: Path) -> None:
    """One clip, by the app's worker."""
    from app.session import jobs

    assert jobs.perceived(clip, lambda _: None).clip.sha256
    jobs.queue().stop_worker()


def app(folder: Path, clip: Path) -> None:
    """The app with one page drawn, and a page of somebody else that asks for the same."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "engine.cli", "app", "--no-browser", "--port", str(port)]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert server.stdout is not None
        address = next(word for line in server.stdout for word in line.split() if "?token=" in word)
        jar = CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        for at in (address, f"http://127.0.0.1:{port}/_stcore/host-config", f"http://127.0.0.1:{port}/_stcore/health"):
            opener.open(at).read()
        cookie = "; ".join(f"{c.name}={c.value}" for c in jar)
        asyncio.run(_drawn(f"ws://127.0.0.1:{port}/_stcore/stream", cookie, f"http://127.0.0.1:{port}"))
        asyncio.run(_refused(f"ws://127.0.0.1:{port}/_stcore/stream", cookie, "http://elsewhere.example"))
        asyncio.run(_refused(f"ws://127.0.0.1:{port}/_stcore/stream", cookie, "http://192.0.2.2"))
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


async def _drawn(address: str, cookie: str, origin: str) -> None:
    """Ask for the first page as the browser's code does, and wait until it is drawn to its end."""
    import websockets
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    ask, drawn = BackMsg(), 0
    ask.rerun_script.query_string = ""
    headers = {"Cookie": cookie}
    async with websockets.connect(
        address, origin=origin, additional_headers=headers, subprotocols=["streamlit"], max_size=None
    ) as link:
        await link.send(ask.SerializeToString())
        async for raw in link:
            said = ForwardMsg.FromString(raw)
            drawn += said.HasField("delta")
            if said.HasField("script_finished"):
                break
    assert drawn > 5, f"the page has {drawn} elements"


async def _refused(address: str, cookie: str, origin: str) -> None:
    import websockets

    with contextlib.suppress(websockets.InvalidStatus):
        async with websockets.connect(address, origin=origin, additional_headers={"Cookie": cookie}):
            raise AssertionError("a foreign page was let in")


def libraries(folder: Path, clip: Path) -> None:
    """Every library with native code of its own that the program uses, loaded after `engine`; and two models run."""
    import importlib

    import numpy as np

    import engine
    from engine.models.voice import VoiceDetector
    from engine.models.whisper import Whisper
    from tests.spoken import small_whisper

    assert engine.__version__
    for name in LIBRARIES:
        importlib.import_module(name)
    assert sum(len(c) for c in VoiceDetector().scores([np.zeros(16_000, np.float32)])) > 0
    assert Whisper(small_whisper(folder / "whisper")).hear(np.zeros(16_000, np.float32)).chances.max() > 0.5


LIBRARIES = (
    "onnxruntime", "ai_edge_litert.interpreter", "torch", "torchaudio", "torchvision", "pyarrow", "pyarrow.dataset", "av", "cv2",
    "typst", "streamlit", "pydeck", "plotly", "lingua", "pandas", "geopandas", "pyproj", "pyogrio", "shapely", "h3", "scipy",
    "numba", "librosa", "soundfile", "soxr", "PIL", "matplotlib", "tokenizers", "safetensors", "transformers", "sqlalchemy",
    "psycopg", "regex", "rapidocr", "ctranslate2", "scenedetect", "moviepy", "huggingface_hub", "pyclipper", "pvlib", "tzfpy",
)  # fmt: skip


if __name__ == "__main__":
    place, what = Path(sys.argv[1]), sys.argv[3:] or ["libraries"]
    for step in what:
        globals()[step](place, Path(sys.argv[2]))
