"""Marks of pictures: read strictly, scored as the program scores, fitted without the pictures that judge the fit."""

from __future__ import annotations

import json
from pathlib import Path

import h3.api.numpy_int as h3
import numpy as np
import pytest

from engine.clues.cues import score
from engine.clues.cues.score import Calibration
from engine.core.errors import DataError
from engine.core.posterior import Posterior
from engine.core.settings import Settings
from engine.lab.bench import cues
from engine.lab.train import calibrate_cues
from engine.world import priors
from engine.world.grid import world_grid

PLACES = {
    "manila": (14.6, 121.0, "ann"), "cebu": (10.3, 123.9, "ann"), "tokyo": (35.7, 139.7, "bo"), "kyoto": (35.0, 135.8, "bo"),
    "cairo": (30.0, 31.2, "cy"), "luxor": (25.7, 32.6, "cy"), "oslo": (59.9, 10.8, "di"), "lima": (-12.0, -77.0, "ed"),
    "giza": (29.98, 31.13, "fay"),
}  # fmt: skip
SEEN = {
    "manila": ("bus-jeepney", "veg-palms"), "cebu": ("bus-jeepney", "terrain-sea"), "tokyo": ("script-kana",),
    "kyoto": ("house-japanese-wood", "arch-torii"), "cairo": ("pyramid-egypt", "terrain-desert"), "luxor": ("pyramid-egypt",),
    "oslo": ("house-falu-red", "terrain-snow-ground"), "lima": ("none",), "giza": ("pyramid-egypt",),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [f"{n},{n}.jpg,{lat},{lon},{author}" for n, (lat, lon, author) in PLACES.items()]
    (tmp_path / "manifest.csv").write_text("\n".join(["id,file,lat,lon,author", *lines]) + "\n", "utf-8")
    for name in PLACES:
        (tmp_path / f"{name}.jpg").write_bytes(b"")
    return tmp_path


@pytest.fixture
def marks(folder: Path) -> Path:
    path = folder / "marks.csv"
    rows = [f"{name},{cue},0.9,x" for name, seen in SEEN.items() for cue in seen]
    path.write_text("\n".join(["id,cue,sure,marker", *rows]) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("nowhere,veg-palms,0.9", "which is in no manifest"),
        ("oslo,veg-plams,0.9", "which there is not"),
        ("oslo,place,0.9", "which there is not"),
        ("oslo,veg-palms,1.2", "above 0 and at most 1"),
        ("oslo,veg-palms,yes", "above 0 and at most 1"),
    ],
)
def test_a_wrong_row_is_named(folder: Path, row: str, said: str) -> None:
    path = folder / "marks.csv"
    path.write_text(f"id,cue,sure\noslo,none,1\n{row}\n", "utf-8")
    with pytest.raises(DataError, match=f"Line 3 of .*{said}"):
        cues.read_marks(path, [folder])
    path.write_text("picture,cue\noslo,veg-palms\n", "utf-8")
    with pytest.raises(DataError, match="needs the columns id, cue and sure"):
        cues.read_marks(path, [folder])


def test_pictures_of_an_author_and_of_a_place_stay_together(folder: Path, marks: Path) -> None:
    group = {p.sample.id: p.author for p in cues.read_marks(marks, [folder])}
    assert group["manila"] == group["cebu"], "one author"
    assert group["cairo"] == group["giza"] == group["luxor"], "another author, but the same place"
    assert len({group[n] for n in ("manila", "tokyo", "cairo", "oslo", "lima")}) == 5


def test_scores_are_those_of_the_program(folder: Path, marks: Path) -> None:
    grid = world_grid()
    scorer = cues.Scorer(Settings().prior)
    for picture in cues.read_marks(marks, [folder]):
        ours = scorer.posterior(picture.noted, score.calibration())
        prior = priors.prior(Settings().prior, grid)
        theirs = Posterior.of(prior, score.log_likelihood(picture.noted, grid)) if picture.noted else prior
        assert np.allclose(ours.log_mass, theirs.log_mass, atol=1e-5)


def test_nothing_noted_is_scored_at_the_prior(folder: Path, marks: Path) -> None:
    scorer = cues.Scorer(Settings().prior)
    picture = next(p for p in cues.read_marks(marks, [folder]) if p.sample.id == "lima")
    found = scorer.outcome(picture, score.calibration())
    assert not found.spoke and found.nll == pytest.approx(-float(scorer.prior.log_mass[picture.truth]))


def test_held_out_numbers_have_not_seen_the_picture(folder: Path, marks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = cues.read_marks(marks, [folder])
    seen: list[set[str]] = []

    def spy(own: list[cues.Marked], _: cues.Scorer) -> Calibration:
        seen.append({p.author for p in own})
        return calibrate_cues.START

    monkeypatch.setattr(calibrate_cues, "fit", spy)
    by_fold, fold, denser = calibrate_cues.held_out(pictures, cues.Scorer(Settings().prior), seed=0)
    for picture, k in zip(pictures, fold, strict=True):
        assert picture.author not in seen[k]
    assert len(by_fold) == calibrate_cues.FOLDS and denser.shape == (len(pictures),) and (denser > 0).all()


def test_the_fit_finds_that_good_marks_are_worth_more() -> None:
    """Marks that are always right make the true cells likelier than the numbers begun from; marks at random do not."""
    grid = world_grid()
    scorer = cues.Scorer(Settings().prior)
    rng = np.random.default_rng(3)
    own = [c for c in ("bus-jeepney", "script-kana", "pyramid-egypt", "house-falu-red", "sign-kiwi", "temple-thai", "veg-tea")]

    def pictures(right: bool) -> list[cues.Marked]:
        made = []
        for n, name in enumerate(own * 3):
            noted = cues._noted({"cue": name, "sure": "0.9"}, "")
            weight = scorer.fits(noted[0])[0].astype(float) if right else np.ones(len(grid))
            cell = int(rng.choice(len(grid), p=weight / weight.sum()))
            lat, lon = (float(x) for x in h3.cell_to_latlng(int(grid.cells[cell])))
            sample = cues.Sample(str(n), Path("x"), lat, lon)
            made.append(cues.Marked(sample, "", (noted,), str(n), n, cell))
        return made

    def gain(found: Calibration, of: list[cues.Marked]) -> float:
        return float(
            np.mean([calibrate_cues._nll(p, scorer, calibrate_cues.START) - calibrate_cues._nll(p, scorer, found) for p in of])
        )

    right, wrong = pictures(True), pictures(False)
    for_right, for_wrong = calibrate_cues.fit(right, scorer), calibrate_cues.fit(wrong, scorer)
    assert gain(for_right, right) > 0.5
    assert for_wrong.gain * for_wrong.temper < 0.25 * for_right.gain * for_right.temper


def test_levels_are_the_quantiles_that_hold_the_places() -> None:
    denser = np.linspace(0.005, 0.995, 199)
    levels = dict(calibrate_cues.levels_of(denser))
    assert levels[0.5] == pytest.approx(0.5, abs=0.01) and levels[0.9] == pytest.approx(0.9, abs=0.01)
    assert np.mean(denser <= levels[0.9]) >= 0.9


def test_the_shipped_numbers_are_bounded() -> None:
    fitted = score.calibration()
    assert (
        0.0 < fitted.trust <= calibrate_cues.MOST_TRUST
        and 0.0 < fitted.temper <= 1.0
        and 0.0 < fitted.gain <= calibrate_cues.MOST_GAIN
    )
    assert [share for share, _ in fitted.levels] == [0.5, 0.9, 0.95]
    assert all(a < b for (_, a), (_, b) in zip(fitted.levels, fitted.levels[1:], strict=False))


def test_a_damaged_file_of_numbers_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({"trust": 0.9}), "utf-8")
    monkeypatch.setattr(score, "FILE", path)
    score.calibration.cache_clear()
    try:
        with pytest.raises(DataError, match="get the program's assets again"):
            score.calibration()
    finally:
        score.calibration.cache_clear()


def test_the_command_prints_and_writes_the_same(folder: Path, marks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from engine.cli import main

    out = folder / "bench.json"
    assert main(["bench", "photos", "--data", str(folder), "--cues", str(marks), "--json", str(out)]) == 0
    said, held = capsys.readouterr().out, json.loads(out.read_text("utf-8"))
    whole = held["rows"]["cues"]
    assert f"cues speak on {whole['spoke']} of {len(PLACES)}" in said and whole["n"] == len(PLACES)
    assert f"{held['gain']['difference']:.2f}" in said and held["gain"]["difference"] > 1.0
    assert held["held_out"] is False and held["seed"] == 0
