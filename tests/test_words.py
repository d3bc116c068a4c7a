"""The words of the program are the field's: none of the old private words is in a public name or in a text that a user reads."""

from __future__ import annotations

import ast
import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

BANNED = re.compile(
    r"(?<![a-z])(senses?|beliefs?|stretch(?:es)?|sonagrams?|learnt|hands?|desks?|shelf|shelves|lanes?|told|held|lean|let[ _]go|"
    r"filing|filed)(?![a-z])",
    re.IGNORECASE,
)

# Terms and idioms that have one of the words in them and stay: of statistics, of CSS and of the scale of a pixel grid, of maps,
# of English, and of a hash that existing cases keep.
TERMS = re.compile(
    r"held[- _]out|on the other hand|left-hand|right-hand|second-hand|hand-held|off-the-shelf|ice shel(?:f|ves)",
    re.IGNORECASE,
)
STRINGS: frozenset[tuple[str, str]] = frozenset({("engine/analysis/edits.py", "stretch")})
"""(file, string) that are allowed: keys of other programs and of hashes, never shown."""
WIDTH = "stretch"
"""Streamlit's word for the full width of a column, as in width="stretch"."""

TEXTS = ("README.md", "CONTRIBUTING.md", "docs/*.md", "examples/README.md", "assets/*/README.md", "assets/validation.json",
         "assets/cues/*.csv")  # fmt: skip
PAGES = ("engine/**/*.html", "engine/**/*.typ", "app/**/*.html", "app/**/*.js", "app/**/*.css", "engine/**/*.css")


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository that match."""
    done = subprocess.run(
        ["git", "ls-files", "-z", *(f":(glob){p}" for p in patterns)], cwd=ROOT, capture_output=True, check=True
    )
    return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def banned(text: str) -> list[str]:
    """The banned words in a text, in order."""
    return [m.group(0) for m in BANNED.finditer(TERMS.sub("", text))]


def words_of(name: str) -> str:
    """A name as words: "ByHand", "by_hand" and "BY_HAND" give "by hand"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")


def public_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, name) of modules' functions, classes, constants, of methods and fields, and of arguments of public functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node.lineno, node.name
            if not isinstance(node, ast.ClassDef):
                arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                yield from ((a.lineno, a.arg) for a in arguments if not a.arg.startswith("_"))
        if isinstance(node, ast.Module | ast.ClassDef):
            for x in node.body:
                targets = x.targets if isinstance(x, ast.Assign) else [x.target] if isinstance(x, ast.AnnAssign) else []
                yield from ((t.lineno, t.id) for t in targets if isinstance(t, ast.Name) and not t.id.startswith("_"))


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, string) of all constants that are no docstrings; a string of Streamlit's width is left out."""
    docstrings, widths = set(), set()
    for node in ast.walk(tree):
        for x in getattr(node, "body", None) or [] if not isinstance(node, ast.Lambda | ast.IfExp | ast.Expression) else []:
            if isinstance(x, ast.Expr) and isinstance(x.value, ast.Constant):
                docstrings.add(id(x.value))
        if isinstance(node, ast.keyword) and node.arg in ("width", "height"):
            widths.update(id(x) for x in ast.walk(node.value) if isinstance(x, ast.Constant) and x.value == WIDTH)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | widths:
            yield node.lineno, node.value


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


SOURCES = tracked("engine/**/*.py", "app/**/*.py", "examples/**/*.py")


@pytest.mark.parametrize("path", SOURCES, ids=where)
def test_names_and_strings(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [f"{line}: name {name}" for line, name in public_names(tree) if banned(words_of(name))]
    if not path.stem.startswith("_") and banned(words_of(path.stem)):
        found.append(f"the file's own name, {path.stem}")
    found += [f"{line}: {text[:80]!r}" for line, text in strings(tree) if banned(text) and (where(path), text) not in STRINGS]
    assert not found, f"{where(path)} has words that are not used (CONTRIBUTING.md, Words): {found}"


@pytest.mark.parametrize("path", tracked("engine/**/*.pyi"), ids=where)
def test_public_lists(path: Path) -> None:
    names = re.findall(r"\w+", path.read_text(encoding="utf-8"))
    assert not [n for n in names if banned(words_of(n))]


@pytest.mark.parametrize("path", tracked(*PAGES), ids=where)
def test_templates_scripts_and_styles(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".css", ".js", ".html"):  # values of CSS, and events and attributes of the browser
        text = re.sub(r"(align|justify)-(self|items|content):\s*stretch|\"(un)?handled\"", "", text)
    found = [f"{n}: {line.strip()[:100]}" for n, line in enumerate(text.splitlines(), 1) if banned(line)]
    assert not found, f"{where(path)}: {found}"


@pytest.mark.parametrize("path", tracked(*TEXTS), ids=where)
def test_texts(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.name == "CONTRIBUTING.md":  # its glossary names the words that are not used, in the last column
        lines = [re.sub(r"\|[^|]*\|$", "", line) for line in lines]
    if path.suffix == ".csv" and path.name not in ("cues.csv", "scenes.csv"):  # tables of words that signs and people use
        lines = [line for line in lines if line.startswith("#")]
    found = [f"{n}: {line[:100]}" for n, line in enumerate(lines, 1) if banned(line)]
    assert not found, f"{where(path)}: {found}"


def test_the_commands_help_is_in_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    from engine import cli

    for command in ("", "locate", "case new", "batch", "flow", "jobs", "models", "verify", "reproduce", "app"):
        with contextlib.suppress(SystemExit):
            cli.main([*command.split(), "--help"])
        assert not banned(capsys.readouterr().out), command


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Every sense points elsewhere.", ["sense"]),
        ("read by hand, held to the bound", ["hand", "held"]),
        ("held out by place; beforehand; handled; a handful", []),
        (words_of("hand_out"), ["hand"]),
        (words_of("LEAN_DEG"), ["LEAN"]),
        (words_of("FiledClip"), ["Filed"]),
        (words_of("sensed"), []),
    ],
)
def test_the_test_finds_words(text: str, found: list[str]) -> None:
    assert banned(text) == found
