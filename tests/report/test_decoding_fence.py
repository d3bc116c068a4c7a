"""How decoding was fenced in when the clip was perceived: what its own decoder said, kept with the result, told in reports."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from engine.analysis.judge import examples, judge
from engine.analysis.perceive import perceive
from engine.case.record import codec
from engine.case.record.reproduce import compare
from engine.core.clip import Interval
from engine.core.settings import Settings
from engine.media import child, decoding_protection, open_clip
from engine.media.jail import NEITHER
from engine.report import json_schema, to_html, to_json, to_pdf
from tests.report import made

FENCED = "Clips are decoded in a process of their own; no network: filter of system calls; <it> writes no file."


def test_it_stands_in_the_documents_and_is_no_difference() -> None:
    plain = made.finding()
    fenced = replace(plain, provenance=replace(plain.provenance, decoding=FENCED))
    document, other = json.loads(to_json(fenced)), json.loads(to_json(plain))
    jsonschema.validate(document, json_schema())
    assert (document["provenance"]["decoding"], other["provenance"]["decoding"]) == (FENCED, "")
    found = compare(document, other)
    assert found.same and found.compared > 10
    html = to_html(fenced)
    assert '<th scope="row">Decoding</th>' in html and "&lt;it&gt; writes no file" in html and "<it>" not in html
    assert ">Decoding<" not in to_html(plain), "nothing is claimed where nobody knows"


def test_it_stands_in_the_pdf(tmp_path: Path) -> None:
    plain = made.finding()
    if not shutil.which("pdftotext"):
        pytest.skip("needs pdftotext; install poppler-utils")
    (tmp_path / "r.pdf").write_bytes(to_pdf(replace(plain, provenance=replace(plain.provenance, decoding=FENCED))))
    out = subprocess.run(["pdftotext", "-layout", tmp_path / "r.pdf", "-"], capture_output=True, check=True).stdout.decode()
    assert "no network: filter of system calls" in " ".join(out.split())


def test_it_is_what_the_decoder_of_this_clip_said(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [e.path for e in examples() if e.path.stem == "golf_georgia"]
    if not found:
        pytest.skip("needs the examples; make them with: python examples/make_examples.py")
    only = Settings(quick=True, interval=Interval(0.0, 2.0))
    with open_clip(found[0]) as reader:
        perception = perceive(reader, only)
    assert perception.decoding == decoding_protection(), "children are all fenced in alike here"
    kept = codec.loads(codec.dumps(replace(perception, decoding=FENCED)))
    monkeypatch.setattr(child, "decoding_protection", lambda: "as it is now")
    assert judge(kept, only).provenance.decoding == FENCED, "as it was then, not as it is now"


def test_a_system_without_fences_says_so() -> None:
    said = child.fenced("")
    assert said == child.fenced(NEITHER) and "no isolation from the network on this system" in said
    assert "no network: x;" in child.fenced("x")
