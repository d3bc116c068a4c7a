"""The table of rooms: which part of the program may import which. Imports run one way."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import types
from collections.abc import Container, Iterator
from pathlib import Path

import pytest

import engine

ROOT = Path(__file__).resolve().parents[1]

_BELOW = {"core", "world", "media", "models", "clues", "verdict", "analysis", "report", "case", "lab"}

ROOMS: dict[str, set[str]] = {
    "core": set(),
    "world": {"core"},
    "media": {"core"},
    "models": {"core"},
    "clues": {"core", "world", "models"},
    "verdict": {"core", "world"},
    "analysis": {"core", "world", "media", "models", "clues", "verdict"},
    "report": {"core", "world", "media"},
    "case": {"core", "media", "report", "analysis"},
    "lab": _BELOW - {"lab"},
    "cli": _BELOW,
    "__init__": {"core"},  # resolves its public names lazily, from its stub
}
"""Room -> the rooms it may import, beside itself."""

APP_ROOMS: dict[str, set[str]] = {
    "figures": set(),
    "server": set(),
    "session": {"figures", "server"},
    "components": {"figures", "server", "session"},
    "panels": {"figures", "session", "components"},
    "pages": {"figures", "session", "components", "panels"},
    "main": {"server", "session", "panels"},
    "__main__": {"server", "session"},
    "__init__": set(),
}
"""The same for the folders of app/. Pages know no page, and only session/ keeps anything between two runs of one."""


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything a file imports, wherever in the file; `from a import b` gives a.b."""
    package = file.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(x for x in (base, node.module) if x)
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def room_of(file: Path) -> str:
    part = file.relative_to(ROOT / "engine").parts[0]
    return part.removesuffix(".py")


def files(folder: str) -> list[Path]:
    return sorted(p for p in (ROOT / folder).rglob("*.py") if "__pycache__" not in p.parts)


def public_names_used(file: Path) -> set[str]:
    """The x of every `engine.x` in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    attributes = (n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name))
    return {n.attr for n in attributes if n.value.id == "engine"}  # type: ignore[attr-defined]


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("file", files("engine"), ids=ids)
def test_rooms_import_one_way(file: Path) -> None:
    room = room_of(file)
    assert room in ROOMS, f"{ids(file)} is in no room of the table"
    for line, name in imports(file):
        parts = name.split(".")
        assert parts[0] not in ("streamlit", "app", "tests", "examples"), f"{ids(file)}:{line} imports {name}"
        if parts[0] != "engine":
            continue
        if len(parts) == 1:
            assert public_names_used(file) <= {"__version__"}, f"{ids(file)}:{line} uses the public list from inside"
            continue
        other = parts[1]
        if other == "__version__":
            continue
        assert other == room or other in ROOMS[room], f"{ids(file)}:{line}: {room} may not import {name}"


@pytest.mark.parametrize("file", files("app"), ids=ids)
def test_the_app_imports_only_the_public_list(file: Path) -> None:
    for line, name in imports(file):
        parts = name.split(".")
        assert parts[0] not in ("torch", "tests", "examples"), f"{ids(file)}:{line} imports {name}"
        if parts[0] == "engine" and len(parts) > 1:
            room = ".".join(parts[:-1])
            listed = ROOT.joinpath(*parts[:-1], "__init__.pyi").is_file() and parts[-1] in importlib.import_module(room).__all__
            assert listed, f"{ids(file)}:{line}: {name} is on no public list"
    assert public_names_used(file) <= set(engine.__all__)


@pytest.mark.parametrize("file", files("app"), ids=ids)
def test_the_apps_folders_import_one_way(file: Path) -> None:
    room = file.relative_to(ROOT / "app").parts[0].removesuffix(".py")
    assert room in APP_ROOMS, f"{ids(file)} is in no folder of the table"
    for line, name in imports(file):
        parts = name.split(".")
        if parts[0] == "app" and len(parts) > 1:
            assert parts[1] == room or parts[1] in APP_ROOMS[room], f"{ids(file)}:{line}: {room} may not import {name}"


_KEPT_BY_STREAMLIT = ("session_state", "cache_data", "cache_resource")


@pytest.mark.parametrize("file", [f for f in files("app") if "session" not in f.parts], ids=ids)
def test_what_lasts_between_runs_is_touched_in_one_folder(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    touched = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in _KEPT_BY_STREAMLIT]
    assert not touched, f"{ids(file)}: lines {touched} touch session_state or a cache; app/session/ does that for all"


LISTS = sorted(".".join(p.parent.relative_to(ROOT).parts) for p in (ROOT / "engine").rglob("__init__.pyi"))


@pytest.mark.parametrize(("room", "name"), [(r, n) for r in LISTS for n in importlib.import_module(r).__all__])
def test_every_public_name_is_there(room: str, name: str) -> None:
    assert getattr(importlib.import_module(room), name) is not None


def test_the_public_list_is_short_and_holds_no_module() -> None:
    assert len(engine.__all__) <= 75
    assert not [n for n in engine.__all__ if isinstance(getattr(engine, n), types.ModuleType)]


def test_unknown_public_name() -> None:
    with pytest.raises(AttributeError, match="helpers"):
        engine.helpers  # noqa: B018


@pytest.mark.parametrize("module", ["engine", "engine.core.finding", "engine.cli", "engine.media", "app"])
def test_importing_loads_no_heavy_library(module: str) -> None:
    """No torch, no model runtime and no Streamlit where nothing was asked for yet."""
    heavy = (
        "torch",
        "transformers",
        "onnxruntime",
        "ai_edge_litert",
        "tensorflow",
        "streamlit",
        "geoclip",
        "librosa",
        "matplotlib",
    )
    code = f"import sys, {module}; print(*sorted(set({heavy!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == ""


def test_the_table_catches_an_import_the_wrong_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: a file in core that imports torch's room is caught."""
    bad = tmp_path / "engine" / "core" / "bad.py"
    bad.parent.mkdir(parents=True)
    bad.write_text("def f():\n    from ..models import birdnet\n", encoding="utf-8")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert list(imports(bad)) == [(2, "engine.models.birdnet")]
    with pytest.raises(AssertionError, match=r"core may not import engine\.models"):
        test_rooms_import_one_way(bad)


def _imported_when_run(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports of a file, those inside functions too; not those for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        else:
            yield from _imported_when_run(child)


def _module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _known(name: str, modules: Container[str]) -> str:
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def test_no_circle_of_imports() -> None:
    """Not even one that only closes when a function is called. A clue's spec alone may name the module it stands for."""
    modules = {_module(file): file for file in [*files("engine"), *files("app")]}
    needs: dict[str, set[str]] = {}
    for module, file in modules.items():
        names = set[str]()
        for node in _imported_when_run(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif node.module and not node.level:
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
        needs[module] = {_known(name, modules) for name in names} - {"", module}
        if file.name == "spec.py" and "clues" in file.parts:
            needs[module] = {other for other in needs[module] if other.rpartition(".")[0] != module.rpartition(".")[0]}
    left = dict(needs)
    while free := {module for module, wanted in left.items() if not wanted & left.keys()}:
        left = {module: wanted for module, wanted in left.items() if module not in free}
    circles = {module: sorted(wanted & left.keys()) for module, wanted in left.items()}
    assert not circles, f"these import one another, or what does: {circles}"
