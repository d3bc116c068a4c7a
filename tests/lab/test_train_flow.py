"""Training the flow end to end on a few simulated clips, and the weights' way to disk and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.errors import WeightsError
from engine.lab.data import flow_data
from engine.lab.train import flow as train_flow
from engine.models.flow.model import Flow, Shipped
from engine.models.flow.sketch import Condition, Heat
from engine.world.grid import world_grid


def test_times_cover_the_way_and_lean_towards_the_end() -> None:
    t = train_flow.times(4000, torch.Generator().manual_seed(0))
    assert t.min() >= 0 and t.max() < 1
    assert (t > 0.9).float().mean() > 0.2 and (t < 0.5).float().mean() > 0.25


def test_missing_or_foreign_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="missing or damaged"):
        Shipped(tmp_path).field()
    if (train_flow.FOLDER / "model.json").is_file():
        (tmp_path / "model.json").write_text((train_flow.FOLDER / "model.json").read_text())
        with pytest.raises(WeightsError, match=r"flow\.safetensors is missing"):
            Shipped(tmp_path).field()
        (tmp_path / "flow.safetensors").write_bytes(b"no weights")
        with pytest.raises(WeightsError, match="not the file its card names"):
            Shipped(tmp_path).field()


@pytest.mark.slow
def test_trains_saves_and_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "cache"))
    heat = Heat()
    data = flow_data.pool(60, 4, heat)
    again = flow_data.pool(60, 4, heat)  # from the cache
    assert torch.equal(data.cell, again.cell) and torch.equal(data.sketch.share, again.sketch.share)
    setting = train_flow.FlowSetting(clips=60, steps=4, minutes=10, batch=16)
    first, second = (train_flow.train(data, setting, lambda _: None) for _ in range(2))
    for a, b in zip(first.field.parameters(), second.field.parameters(), strict=True):
        assert torch.equal(a, b)
    train_flow.save(first, setting, heat, {25: 30.0}, tmp_path / "out", "a command")
    shipped = Shipped(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "model.json").read_text())["setting"]["steps"] == 4
    vmf, softmax = shipped.rivals(len(world_grid()))
    held = flow_data.clips(3, 9, ("sound", "picture"))
    flow = Flow(shipped.field(), flow_data.atlas(), shipped.heat)
    log_p = flow.log_density(flow.conditioning(held.conditions), held.xyz)
    assert log_p.shape == (3, 3) and np.isfinite(log_p).all()
    sketch = flow.atlas.sketch(held.conditions, heat)
    assert torch.isfinite(vmf.log_density(sketch, flow.atlas.xyz[None].expand(3, -1, -1))).all()
    mass = softmax.log_mass(sketch, flow.atlas.log_area)
    assert torch.allclose(mass.exp().sum(1), torch.ones(3), atol=1e-4)
    further = train_flow.train(data, setting, lambda _: None, shipped)
    assert not torch.equal(next(further.field.parameters()), next(shipped.field().parameters()))


@pytest.mark.slow
def test_the_sketch_says_what_the_senses_say() -> None:
    """A picture's vector of one place: the sketch's heaviest anchor is there; nothing given: mass by area."""
    atlas = flow_data.atlas()
    picture = atlas.geo[7000].numpy()
    s = atlas.sketch([Condition(picture=picture), Condition()], Heat(picture=60.0))
    assert float(s.centre[0, 0] @ atlas.xyz[7000]) > np.cos(400 / 6371)
    area = np.bincount(atlas.anchor_of.numpy(), world_grid().area_km2)
    assert np.allclose(s.share[1].exp().numpy(), area / area.sum(), atol=1e-5)
    assert s.given.tolist() == [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    quality = flow_data.picture_quality(400)
    for km, percent in flow_data.IM2GPS3K.items():
        assert abs(quality[km] - percent) < 9
