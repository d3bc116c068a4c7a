"""The audiovisual protocol's folder: read, refused where it is wrong, and scored end to end on a made pair."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.clip import Clip, Interval
from engine.core.errors import DataError
from engine.core.observation import Observation
from engine.core.perception import Perception
from engine.core.settings import Settings
from engine.lab.bench import avg


def folder(tmp_path: Path, places: str | None = None, clips: str | None = None) -> Path:
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "b.wav").write_bytes(b"x")
    (tmp_path / "b.jpg").write_bytes(b"x")
    (tmp_path / "places.csv").write_text(places or "place,lat,lon,split\nParis,48.85,2.35,test\nLima,-12.05,-77.04,train\n")
    (tmp_path / "clips.csv").write_text(
        clips or "clip,place,file,sound,picture\nfilm,Paris,a.mp4,,\npair,Paris,,b.wav,b.jpg\nother,Lima,a.mp4,,\n"
    )
    return tmp_path


def test_reads_films_and_pairs_of_a_split(tmp_path: Path) -> None:
    found = avg.read(folder(tmp_path))
    assert [c.id for c in found] == ["film", "pair"]
    assert found[0].film is not None and found[1].film is None and found[1].sound is not None
    assert found[0].truth("sound") == (48.85, 2.35)
    assert [c.id for c in avg.read(tmp_path, "train")] == ["other"]


@pytest.mark.parametrize(
    ("places", "clips", "message"),
    [
        ("place,lat,lon,split\nParis,48,2,test\nParis,48,2,train\n", None, "one split, once"),
        ("place,lat,lon,split\nParis,nan,2,test\n", None, "beyond the Earth"),
        ("place,lat,lon,split\nParis,x,2,test\n", None, "no number"),
        ("place,lat,lon,split\nParis,48,2,dev\n", None, "has the split"),
        ("place,lat\nParis,48\n", None, "needs the columns"),
        (None, "clip,place,file\nfilm,Rome,a.mp4\n", "does not list"),
        (None, "clip,place,file\nfilm,Paris,../a.mp4\n", "outside its folder"),
        (None, "clip,place,file\nfilm,Paris,none.mp4\n", "missing"),
        (None, "clip,place,sound\nfilm,Paris,b.wav\n", "neither a film"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, places: str | None, clips: str | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        avg.read(folder(tmp_path, places, clips))


def test_unknown_split_and_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no split"):
        avg.read(folder(tmp_path), "dev")
    with pytest.raises(DataError, match="no clip in the split"):
        avg.read(tmp_path, "val")
    with pytest.raises(DataError, match=r"places\.csv is missing"):
        avg.read(tmp_path / "nowhere")


def test_rows_with_and_without_reasoning() -> None:
    """A Great Tit heard and a sign noted that no clue reads: reasoning moves the picture, not the sound."""
    from engine.clues.cues import score as cue_evidence
    from engine.clues.cues import table as cues

    clip = avg.AvgClip("c", "somewhere", 52.0, -1.0, film=Path("c.mp4"))
    heard = Observation("species", "species", "Parus major", 0.95, 0.0, 3.0)
    cue = cues.by_id("bus-jeepney")
    assert cue.group not in cue_evidence.SCORED_BY
    noted = cues.noted(cue.id, 0.0, 1.0, 0.98, "analyst", "")
    perception = Perception(Clip("", "0" * 64, 1, "", 5.0), Interval(0.0, 5.0), (heard, noted))
    found = avg.score(clip, perception, Settings()).found
    assert set(found) == {f"{m}{r}" for m in ("sound", "picture", "both") for r in ("", ", with reasoning")}
    assert found["sound"].nll == pytest.approx(found["sound, with reasoning"].nll, abs=0.01)  # the grids differ a little
    assert found["picture"].nll != pytest.approx(found["picture, with reasoning"].nll, abs=1e-6)
    assert found["sound"].spoke and not found["picture"].spoke
