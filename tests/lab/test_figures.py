"""The four figures are drawn of whatever rows there are, cells on the antimeridian included."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.lab.bench import figures
from engine.lab.bench.metrics import Outcome
from engine.lab.bench.recordings import Row
from engine.lab.data.manifest import Sample


def test_figures_are_drawn(tmp_path: Path) -> None:
    places = [(45.0, 10.0), (45.01, 10.01), (-17.0, 179.99), (64.0, -150.0)]
    rows = []
    for i, (lat, lon) in enumerate(places):
        sample = Sample(str(i), tmp_path / f"{i}.wav", lat, lon, extra=(("species", f"Parus kind{i % 3}"),))
        own, prior = Outcome(100.0 * (i + 1), 5.0, {}), Outcome(4000.0 + i, 9.0, {})
        rows.append(Row(sample, "EU", i, own, prior, {"species": own, "hum": prior}))
    made = figures.draw(rows, np.array([0, 1, 3, 9]), tmp_path / "out")
    assert [p.name for p in made] == ["cdf.svg", "map.svg", "species.svg", "groups.svg"]
    cdf, groups = ((tmp_path / "out" / name).read_text("utf-8") for name in ("cdf.svg", "groups.svg"))
    assert "<!-- sound -->" in cdf and "<!-- species -->" in cdf and "<!-- hum -->" not in cdf  # what says nothing is left out
    assert "Parus: 4 recordings, 3 species" in groups
