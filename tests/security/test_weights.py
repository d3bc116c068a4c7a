"""Weights: safetensors, ONNX and TFLite, by hash; a pickle is never run, wherever one comes from."""

from __future__ import annotations

import argparse
import ast
import collections
import hashlib
import io
import os
import pickle
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.core.card import Card
from engine.core.errors import WeightsError
from engine.core.paths import ROOT
from engine.models import catalog, checkpoint, efficientnet, geoclip_location, geoclip_picture
from engine.models.catalog import Entry, WeightFile
from engine.models.checkpoint import read_state

FILES = sorted([*(ROOT / "engine").rglob("*.py"), *(ROOT / "app").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")])
RUNS_WHAT_IT_READS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def deserialisers(tree: ast.AST) -> list[str]:
    """What in a program would run, or could be made to run, what a file holds."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in RUNS_WHAT_IT_READS]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in RUNS_WHAT_IT_READS:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {k.arg: ast.unparse(k.value) for k in node.keywords}
            if name in ("eval", "exec", "torch.load", "torch.jit.load", "pandas.read_pickle", "pd.read_pickle", "yaml.load"):
                found.append(name)
            if given.get("allow_pickle", "False") != "False" or given.get("trust_remote_code", "False") != "False":
                found.append(f"{name} with {given}")
            weighs = name.endswith(".from_pretrained") and any(x in name for x in ("Model", "ForConditional"))
            if weighs and not name.startswith("Peft") and given.get("use_safetensors") != "True" and None not in given:
                found.append(f"{name} without use_safetensors")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_runs_what_a_file_holds(file: Path) -> None:
    assert deserialisers(ast.parse(file.read_text(encoding="utf-8"))) == []


def test_the_test_above_can_fail() -> None:
    for bad in (
        "import pickle",
        "from joblib import load",
        "torch.load(f, weights_only=True)",
        "np.load(f, allow_pickle=True)",
        "CLIPModel.from_pretrained(f)",
        "AutoModel.from_pretrained(f, use_safetensors=True, trust_remote_code=True)",
        "eval(text)",
    ):
        assert deserialisers(ast.parse(bad)), bad


# --- PyTorch's own files, read as data ----------------------------------------------------------------------------------------


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.proof}",)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_gives_its_tensors_and_runs_nothing(zipped: bool, tmp_path: Path) -> None:
    base = torch.arange(12.0)
    state = collections.OrderedDict(
        turned=base.reshape(3, 4).T,
        part=base[5:9],
        half=torch.ones(2, 2, dtype=torch.bfloat16),
        empty=torch.zeros(0),
        whole=torch.nn.Parameter(torch.tensor([1, -2], dtype=torch.int16).float()),
        flags=torch.tensor([True, False]),
    )
    held = {"state_dict": state, "evil": Evil(tmp_path / "proof"), "settings": argparse.Namespace(a=1), "epoch": 3}
    torch.save(held, tmp_path / "c.ckpt", _use_new_zipfile_serialization=zipped)
    found = checkpoint.read(tmp_path / "c.ckpt")
    assert not (tmp_path / "proof").exists()
    assert found["epoch"] == 3 and list(found["state_dict"]) == list(state)
    for name, tensor in state.items():
        assert found["state_dict"][name].dtype == tensor.dtype and torch.equal(found["state_dict"][name], tensor), name
    assert read_state(tmp_path / "c.ckpt").keys() == state.keys()
    with (tmp_path / "c.ckpt").open("rb") as file:  # the file is what it is said to be: whoever unpickles it runs it
        torch.load(file, weights_only=False)
    assert (tmp_path / "proof").exists()


def test_package_weights_are_what_pytorch_would_read() -> None:
    for path in (
        efficientnet.path(),
        geoclip_location.weights_path(),
        geoclip_picture.package_file("image_encoder_mlp_weights.pth"),
    ):
        theirs, ours = torch.load(path, map_location="cpu", weights_only=True), checkpoint.read(path)
        assert list(theirs) == list(ours) and all(torch.equal(theirs[k], ours[k]) for k in theirs)


def program(*instructions: bytes) -> bytes:
    return b"\x80\x02" + b"".join(instructions) + b"."


def archive(path: Path, text: bytes, compression: int = zipfile.ZIP_STORED, numbers: bytes = bytes(16)) -> Path:
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("x/data.pkl", text)
        out.writestr(zipfile.ZipInfo("x/data/0"), numbers, compression)
    return path


def tensor(count: int, shape: tuple[int, ...], stride: tuple[int, ...], offset: int = 0, key: str = "0") -> bytes:
    """The program for one tensor of float32."""

    class Writer(pickle._Pickler):  # type: ignore[name-defined]
        def persistent_id(self, thing: object) -> object:
            return ("storage", torch.FloatStorage, key, "cpu", count) if thing is storage else None

    class Tensor:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return torch._utils._rebuild_tensor_v2, (storage, offset, shape, stride, False, collections.OrderedDict())

    storage, out = object(), io.BytesIO()
    Writer(out, 2).dump(Tensor())
    return out.getvalue()


def test_tensors_that_are_not_there_or_too_large_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    assert checkpoint.read(archive(path, tensor(4, (2, 2), (2, 1)))).shape == (2, 2)
    bad = {
        "beyond its numbers": tensor(4, (2, 3), (2, 1)),
        "swollen by a stride of nothing": tensor(4, (10**12,), (0,)),
        "before its numbers": tensor(4, (2,), (1,), offset=-1),
        "more than the file has": tensor(10**9, (2,), (1,)),
        "another file": tensor(4, (2,), (1,), key="../../etc/passwd"),
        "no end": b"\x80\x02]",
        "an empty stack": program(b"0"),
        "a mark that is not there": program(b"t"),
        "a list in itself": program(b"]q\0h\0a0h\0h\0\x86R"),
        "text of 2**60 bytes": program(b"\x8d" + struct.pack("<Q", 1 << 60)),
        "memo that was never put": program(b"h\x07"),
        "instance by its class": program(b"(ios\nsystem\n"),
    }
    for what, text in bad.items():
        with pytest.raises(WeightsError):
            print(what, checkpoint.read(archive(path, text)))
    with pytest.raises(WeightsError):  # a decompression bomb: PyTorch compresses nothing
        checkpoint.read(archive(path, tensor(10**7, (10**7,), (1,)), zipfile.ZIP_DEFLATED, bytes(4 * 10**7)))
    for junk in (b"", b"PK\3\4junk", b"\x80\x02.", os.urandom(300)):
        path.write_bytes(junk)
        with pytest.raises(WeightsError):
            checkpoint.read(path)


def laughing(times: int) -> bytes:
    """Instructions for a tuple of two of a tuple of two …: small as it stands, endless to whoever walks, prints or hashes it."""
    return b"N" + b"".join(b"q%ch%c\x86" % (i, i) for i in range(times))


def plain_file(path: Path, text: bytes, keys: bytes = pickle.dumps(["0"], 2), rest: bytes = b"") -> Path:
    """A file of the older format around a program."""
    head = b"".join(pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    path.write_bytes(head + text + keys + rest)
    return path


HANGS_OR_SWELLS = {
    "a name without end": program(laughing(60), laughing(60), b"\x93"),
    "a key that takes for ever to be hashed": program(b"}", laughing(60), b"Ns"),
    "a tensor of more dimensions than there are": tensor(4, (1,) * 100_000, (1,) * 100_000),
    "a shape beyond any number": tensor(4, (1 << 4000, 0), (1, 1)),
    "a longer program than any": program(b"N0" * 6_000_000, b"N"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("what", HANGS_OR_SWELLS)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_program_that_would_never_end_is_refused(what: str, zipped: bool, tmp_path: Path) -> None:
    given = (archive if zipped else plain_file)(tmp_path / "x.pt", HANGS_OR_SWELLS[what])
    with pytest.raises(WeightsError):
        checkpoint.read(given)


def reduced(module: str, name: str, *instructions: bytes) -> bytes:
    return program(f"c{module}\n{name}\n".encode(), *instructions, b"R")


def test_what_would_be_made_by_calls_is_an_empty_token(tmp_path: Path) -> None:
    two_gigabytes = b"J" + struct.pack("<i", 2_000_000_000) + b"\x85"
    for name in ("bytearray", "list", "eval"):
        found = checkpoint.read(archive(tmp_path / "x.pt", reduced("builtins", name, two_gigabytes)))
        assert type(found) is checkpoint._Token
    for made in (torch.empty(10**6, 10**6, device="meta"), torch.eye(3).to_sparse()):
        torch.save({"state_dict": {"a": made}}, tmp_path / "y.pt")
        with pytest.raises(WeightsError, match="no state dict"):
            read_state(tmp_path / "y.pt")


@pytest.mark.parametrize(
    "text",
    [
        program(b"]" * 1_000_000, b"a" * 999_999),
        program(b"N" * 1_000_001, b"\x85" * 10, b"R" * 1_000_000),
        program(laughing(200)),
    ],
    ids=["lists in lists", "tokens in tokens", "tuples of tuples"],
)
def test_depth_is_no_harm(text: bytes, tmp_path: Path) -> None:
    """Whatever is read is dropped again without recursion, and no state dict is seen in it."""
    with pytest.raises(WeightsError):
        read_state(archive(tmp_path / "x.pt", text))


def test_no_more_is_read_than_the_file_has(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    huge = plain_file(path, tensor(10**15, (2,), (1,)), rest=struct.pack("<q", 10**15) + bytes(64))
    with pytest.raises(WeightsError):
        checkpoint.read(huge)
    with pytest.raises(WeightsError):  # a key that is no text
        checkpoint.read(plain_file(path, tensor(4, (2,), (1,)), keys=pickle.dumps([("0",)], 2)))
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("x/data.pkl", tensor(4, (2, 2), (2, 1)), zipfile.ZIP_DEFLATED)
        out.writestr("x/data/0", bytes(16))
    with pytest.raises(WeightsError):  # a program that was compressed may swell as numbers may
        checkpoint.read(path)


def test_numbers_that_lie_over_one_another_are_read_once(tmp_path: Path) -> None:
    """Two storages of one member, as a bomb of many would name it: more bytes than the file has."""
    state = {"a": torch.zeros(1 << 16), "b": torch.zeros(1 << 16)}
    torch.save(state, tmp_path / "both.pt")
    assert checkpoint.read(tmp_path / "both.pt")["b"].shape == (1 << 16,)
    machine = checkpoint._Machine(lambda s: bytes(4 * s.count), 4 * 6)
    kept = [checkpoint._Storage("FloatStorage", key, 4) for key in "ab"]
    assert machine._tensor(kept[0], 0, (4,), (1,)).shape == (4,)
    assert machine._tensor(kept[0], 1, (2,), (1,)).shape == (2,)  # the same numbers, seen twice
    with pytest.raises(ValueError, match="more numbers"):
        machine._tensor(kept[1], 0, (4,), (1,))


# --- by hash, and only what the catalogue names --------------------------------------------------------------------------------


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Entry:
    files = tuple(WeightFile(n, hashlib.sha256(n.encode()).hexdigest(), len(n)) for n in ("config.json", "model.safetensors"))
    made = Entry(Card("small", "Small", "tests", "MIT", "nobody"), "nobody/small", "0" * 40, files)
    monkeypatch.setattr(catalog, "CATALOGUE", (made,))
    monkeypatch.setenv("EARWITNESS_MODELS", str(tmp_path / "models"))
    folder = tmp_path / "stick" / "small"
    folder.mkdir(parents=True)
    for f in files:
        (folder / f.name).write_bytes(f.name.encode())
    return made


def test_a_stick_can_bring_nothing_but_the_files_of_the_catalogue(known: Entry, tmp_path: Path) -> None:
    """No archive is unpacked (so no slip out of one), no name comes from the stick, no link is followed to a device."""
    stick = tmp_path / "stick"
    for name in ("pytorch_model.bin", "evil.py", "sha256.json", "tokenizer.py"):
        (stick / "small" / name).write_bytes(pickle.dumps(Evil(tmp_path / "proof")))
    with zipfile.ZipFile(stick / "small.zip", "w") as out:
        out.writestr("../../escaped", "x")
    catalog.import_weights(stick)
    assert sorted(p.name for p in (tmp_path / "models" / "small").iterdir()) == ["config.json", "model.safetensors"]
    assert not list(tmp_path.rglob("escaped")) and not (tmp_path / "proof").exists()
    (stick / "small" / "model.safetensors").unlink()
    (stick / "small" / "model.safetensors").symlink_to("/dev/zero")
    with pytest.raises(WeightsError):
        catalog.import_weights(stick)


def test_of_two_models_with_files_of_the_same_names_the_one_that_is_there_is_taken(
    known: Entry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = replace(known, card=replace(known.card, id="large"), files=tuple(replace(f, size_bytes=9_999) for f in known.files))
    monkeypatch.setattr(catalog, "CATALOGUE", (other, known))
    (tmp_path / "stick" / "small").rename(tmp_path / "unnamed")
    assert catalog.import_weights(tmp_path / "unnamed") == (known,)


def test_a_model_changed_since_it_was_taken_is_not_loaded(known: Entry, tmp_path: Path) -> None:
    catalog.import_weights(tmp_path / "stick")
    catalog.vouch("small")
    (tmp_path / "models" / "small" / "model.safetensors").write_bytes(b"changed")
    with pytest.raises(WeightsError, match="not the file of the catalogue"):
        catalog.vouch("small")


@pytest.mark.parametrize("loader", ["geoclip_picture", "clip_text", "streetclip", "whisper", "qwen"])
def test_every_loader_asks_for_the_hash_first(loader: str) -> None:
    tree = ast.parse((ROOT / "engine" / "models" / f"{loader}.py").read_text(encoding="utf-8"))
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        calls = [ast.unparse(n.func) for n in ast.walk(function) if isinstance(n, ast.Call)]
        if any((c.endswith(".from_pretrained") and "Peft" not in c) or c.endswith(".models.Whisper") for c in calls):
            assert "catalog.vouch" in calls, function.name


def test_the_catalogue_names_no_pickles() -> None:
    names = {f.name for e in catalog.CATALOGUE for f in e.files if f.name != "model.bin"}
    assert all(f.sha256 for e in catalog.CATALOGUE for f in e.files if f.name == "model.bin")  # CTranslate2's form, by hash
    assert {Path(n).suffix for n in names} <= {".safetensors", ".json", ".txt", ".onnx", ".tflite"}
    assert not any("/" in n or "\\" in n or n.startswith(".") for n in names)
