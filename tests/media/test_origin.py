"""What a file tells of its making: JPEG tables and generations, boxes, encoder, thumbnail, and that none of it is a clue."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import signing
from PIL import Image

from engine.clues.container.score import log_likelihood
from engine.core.observation import Observation
from engine.lab.bench import jpeg_generations as bench
from engine.media import jpeg, open_clip, origin
from engine.media.metadata import container_observations
from engine.media.source import Source
from engine.report.view import origin as view
from engine.world.grid import world_grid

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "golf_georgia.mp4"


def told(path: Path) -> dict[str, str]:
    with open_clip(path) as reader:
        return {name: what for name, what, _ in reader.origin()}


@pytest.mark.parametrize("quality", [1, 30, 50, 75, 88, 95, 100])
def test_libjpegs_tables_are_known_by_their_quality(quality: int) -> None:
    read = jpeg.read(bench.compressed(bench.drawn(0, 64), quality))
    assert read is not None
    assert jpeg.quality_of(read[1]) == (quality, True)


def test_another_table_is_said_to_be_another() -> None:
    table = jpeg.table_of_quality(80)
    table[0, 0] += 1
    assert jpeg.quality_of(table) == (80, False)


@pytest.mark.parametrize(("first", "last"), [(60, 85), (75, 90), (75, 95), (85, 95)])
def test_an_earlier_stronger_compression_is_found_with_its_steps(first: int, last: int) -> None:
    for seed in range(3):
        once = bench.compressed(bench.drawn(seed), first)
        twice = bench.compressed(np.asarray(Image.open(io.BytesIO(once))), last)
        read = jpeg.read(twice)
        result = jpeg.generations(*read) if read is not None else None
        assert result is not None and result.several
        table = jpeg.table_of_quality(first)
        assert sum(table[row, column] == step for row, column, step in result.earlier) >= len(result.earlier) / 2 > 0


@pytest.mark.parametrize("quality", [60, 75, 90, 95])
def test_a_single_compression_is_not_called_another(quality: int) -> None:
    assert not any(bench.said(bench.compressed(bench.drawn(seed), quality)) for seed in range(6))


def test_a_small_or_plain_picture_cannot_be_tested() -> None:
    assert bench.said(bench.compressed(bench.drawn(0, 128), 90)) is None
    assert bench.said(bench.compressed(np.full((400, 400), 90, np.uint8), 90)) is None


def test_wilsons_interval() -> None:
    assert bench.interval(0, 100) == pytest.approx((0.0, 0.0370), abs=1e-4)
    assert bench.interval(50, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)


def test_a_film_tells_its_boxes_and_its_encoder() -> None:
    said = told(EXAMPLE)
    assert said["box order"].startswith("ftyp moov") and "brand isom" in said["box order"]
    assert said["video encoder"].startswith("x264 - core")
    assert said["content credentials"] == "none"


def test_the_thumbnail_is_compared_with_the_picture(tmp_path: Path) -> None:
    def with_thumbnail(seed: int) -> bytes:
        small = Image.open(io.BytesIO(signing.picture(seed=seed))).resize((160, 120))
        held = io.BytesIO()
        small.save(held, "JPEG")
        block = held.getvalue()
        # A second directory with the thumbnail's place and length, written by hand: Pillow writes none.
        body = b"II*\0" + (8).to_bytes(4, "little") + b"\0\0" + (14).to_bytes(4, "little") + (2).to_bytes(2, "little")
        at = len(body) + 24 + 4
        for tag, value in ((0x0201, at), (0x0202, len(block))):
            body += (
                tag.to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little") + value.to_bytes(4, "little")
            )
        body += bytes(4) + block
        out = io.BytesIO()
        Image.open(io.BytesIO(signing.picture(seed=0))).save(out, "JPEG", exif=b"Exif\0\0" + body)
        return out.getvalue()

    same = told(signing.written(tmp_path / "a.jpg", with_thumbnail(0)))["thumbnail"]
    other = told(signing.written(tmp_path / "b.jpg", with_thumbnail(3)))["thumbnail"]
    assert float(same.rpartition(" ")[2]) > 0.95 > 0.6 > float(other.rpartition(" ")[2])


def test_provenance_weighs_nothing(tmp_path: Path) -> None:
    """Credentials of whatever kind leave the container's evidence as it is."""
    path = signing.written(tmp_path / "a.jpg", signing.signed(signing.picture(), "image/jpeg", signing.chain()))
    with open_clip(path) as reader:
        found = container_observations(reader.clip, reader)
        bare = container_observations(reader.clip)
    assert {o.name for o in found} - {o.name for o in bare} >= {"content credentials", "binding", "signature", "trust"}
    grid = world_grid()
    assert np.array_equal(log_likelihood(found, grid).log_likelihood, log_likelihood(bare, grid).log_likelihood)


def test_the_view_puts_credentials_first_and_says_what_each_is_worth(tmp_path: Path) -> None:
    path = signing.written(tmp_path / "a.jpg", signing.signed(signing.picture(), "image/jpeg", signing.chain()))
    with open_clip(path) as reader:
        rows = view.of(container_observations(reader.clip, reader))
    assert [name for name, _, _ in rows[:4]] == ["Content credentials", "– binding to the file", "– signature", "– trust"]
    assert ("Recording device", "Modell 1", "stated from EXIF Model; anybody can edit it") in rows
    assert all(worth for _, _, worth in rows)
    assert "manipulated" not in " ".join(" ".join(row) for row in rows)


def test_hostile_texts_are_bounded() -> None:
    rows = view.of([Observation("container", "tag", "x" * 5_000 + "\x1b", 1.0, 0.0, 0.0, name="software", note="from y\x1b")])
    assert len(rows[0][1]) == 300 and "\x1b" not in "".join(rows[0])


def test_facts_of_a_file_are_fit_for_one_line(tmp_path: Path) -> None:
    path = signing.written(tmp_path / "a.jpg", signing.picture())
    source = Source(path)
    source.open()
    with open_clip(path) as reader:
        facts = origin.facts(source, reader.clip)
    source.close()
    assert facts and all("\n" not in x and len(x) <= 600 for fact in facts for x in fact)
