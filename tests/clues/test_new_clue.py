"""A new clue is a folder, a line and a test: nothing else in the program has to know of it."""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from engine import Finding, Settings, judge, to_html, to_json, to_pdf
from engine.analysis import clue_switches, edits
from engine.cli.summary import summarise
from engine.cli.terminal import Pen
from engine.clues import registry
from engine.core.card import Card
from engine.core.clip import Clip, Interval, Stream
from engine.core.modality import Modality
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.spec import Chosen, ClueSpec, Kind

TOY = '''
"""How loudly church bells ring, and where they do: a toy."""

from engine.core.card import Card
from engine.core.evidence import Clue
from engine.core.modality import Modality
from engine.core.spec import ClueSpec, Kind

CARD = Card("bell-net", "Bell net", "hears bells", "Ringers' Licence 2", "a tower", non_commercial=True)


def make(chosen):
    from toy_bells.observe import observe
    from toy_bells.score import log_likelihood

    return Clue(SPEC, observe, log_likelihood)


SPEC = ClueSpec(
    name="bells",
    title="bells of towers",
    modality=Modality.SOUND,
    doing="Listening for bells",
    make=make,
    kinds=(Kind("bell", "bell", "Bells heard", Modality.SOUND),),
    models=(CARD,),
)
'''

OBSERVE = """
from engine.core.observation import Observation
from toy_bells.spec import CARD, SPEC


def observe(clip, reader, interval=None, progress=None):
    return (Observation(SPEC.name, "bell", "great bell", 0.9, 1.0, 2.0, author=CARD.id),)
"""

SCORE = """
from engine.core.evidence import Evidence
from toy_bells.spec import SPEC
import numpy as np


def log_likelihood(observations, grid, when=None):
    own = tuple(o for o in observations if o.clue == SPEC.name)
    if not own:
        return Evidence.silent(SPEC.name, SPEC.modality, grid, "no bell rings", own)
    return Evidence(SPEC.name, SPEC.modality, grid, -8.0 * np.abs(grid.xyz[:, 2] - 0.77), own, models=SPEC.model_ids)
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClueSpec]:
    """The clue in a package of its own, and its line in the registry."""
    (tmp_path / "toy_bells").mkdir()
    (tmp_path / "toy_bells" / "__init__.py").write_text("")
    for name, text in (("spec", TOY), ("observe", OBSERVE), ("score", SCORE)):
        (tmp_path / "toy_bells" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = importlib.import_module("toy_bells.spec").SPEC
    monkeypatch.setattr(registry, "SPECS", (*registry.SPECS, spec))
    yield spec
    for name in [m for m in sys.modules if m.startswith("toy_bells")]:
        del sys.modules[name]


def perceived(*observations: Observation) -> Perception:
    clip = Clip("x.wav", "0" * 64, 1, "wav", 8.0, streams=(Stream(0, 1, "audio", "pcm_s16le", rate_hz=48_000, channels=1),))
    return Perception(clip, Interval(0.0, 8.0), observations, models=("bell-net",))


BELL = Observation("bells", "bell", "great bell", 0.9, 1.0, 2.0, author="bell-net")


def judged(included: frozenset[str] = frozenset(), *observations: Observation) -> Finding:
    return judge(perceived(*observations), Settings(included=included))


def terminal(finding: Finding) -> str:
    out = io.StringIO()
    summarise(finding, Pen(out))
    return out.getvalue()


def test_it_has_no_vote_of_its_own_accord(toy: ClueSpec) -> None:
    assert not toy.votes and not toy.calibrated
    finding = judged(frozenset(), BELL)
    mine = next(e for e in finding.evidence if e.clue == "bells")
    assert mine.abstained == toy.idle and mine.modality is Modality.SOUND
    assert not finding.by("sound").spoke


def test_asked_for_it_is_named_everywhere_with_its_licence(toy: ClueSpec) -> None:
    finding = judged(frozenset({"bells"}), BELL)
    assert finding.by("sound").spoke and finding.provenance.models == ("bell-net",)
    said = terminal(finding)
    assert "Bells heard" in said and "Bell net" in said and "Ringers' Licence 2" in said
    document = json.loads(to_json(finding))
    model = document["provenance"]["models"][0]
    assert (model["title"], model["licence"], model["non_commercial"]) == ("Bell net", "Ringers' Licence 2", True)
    assert any(p["kind"] == "bell" for p in document["perceived"])
    page = to_html(finding)
    assert "Bell net" in page and "Ringers" in page and "great bell" in page
    assert to_pdf(finding)[:5] == b"%PDF-"


def test_silent_it_is_named_by_its_title(toy: ClueSpec) -> None:
    finding = judged(frozenset({"bells"}))
    assert "no bell rings" in terminal(finding) or "bells of towers" in to_html(finding)
    assert "bells of towers" in to_html(finding) and "no bell rings" in to_html(finding)


def test_the_app_shows_it_as_sound_and_offers_its_switch(toy: ClueSpec) -> None:
    from app.components.evidence.component import listed_evidence, modality_of

    finding = judged(frozenset({"bells"}), BELL)
    rows, _ = listed_evidence(finding)
    assert [(p.best.label, modality_of(p.best.kind, finding.registry)) for p in rows] == [("great bell", "sound")]
    switch = next(s for s in clue_switches(finding.settings) if s.name == "bells")
    assert switch.optional and switch.on and switch.why == toy.idle
    assert not next(s for s in clue_switches() if s.name == "bells").on


def test_a_sealed_picture_leaves_it_its_sound(toy: ClueSpec) -> None:
    """Blind judgement hides the picture, not a sound clue that is new."""
    assert BELL in edits.sound_alone(perceived(BELL)).observations


@pytest.mark.parametrize(
    "missing", [f.name for f in fields(ClueSpec) if f.name in ("title", "doing", "models", "kinds", "make", "modality")]
)
def test_a_field_left_out_is_noticed(missing: str) -> None:
    given = dict(
        name="x", title="x", modality=Modality.SOUND, doing="X", make=None, kinds=(), models=(Card("m", "M", "", "", ""),)
    )
    del given[missing]
    with pytest.raises(TypeError, match=missing):
        ClueSpec(**given)


@pytest.mark.parametrize(
    "wrong", [{"title": " "}, {"doing": ""}, {"models": ()}, {"votes": True}, {"idle": ""}, {"name": "Not A Name"}]
)
def test_a_field_left_empty_is_noticed(wrong: dict[str, object]) -> None:
    given = dict(
        name="x", title="x", modality=Modality.SOUND, doing="X", make=None, kinds=(), models=(Card("m", "M", "", "", ""),)
    )
    with pytest.raises(ValueError, match=r"the clue|is no name"):
        ClueSpec(**given | wrong)


@pytest.mark.parametrize("spec", registry.SPECS, ids=lambda s: s.name)
def test_every_clue_is_what_its_spec_says(spec: ClueSpec) -> None:
    clue = spec.make(Chosen(Settings()))
    assert clue.spec is spec and (clue.name, clue.modality, clue.reads) == (spec.name, spec.modality, spec.reads)
    assert all(isinstance(k, Kind) and k.modality is spec.modality for k in spec.kinds)
    assert all(c.licence and c.source for c in spec.models)
    assert not spec.joined or spec.joined in {s.name for s in registry.SPECS}


def test_no_spec_imports_a_model() -> None:
    import subprocess

    code = (
        "import sys, engine.clues.registry; "
        "print(*sorted(m for m in sys.modules if m.split('.')[0] in ('torch', 'onnxruntime', 'ai_edge_litert') "
        "or m.startswith('engine.models.') and m != 'engine.models.cards'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
