"""The AG-CLIP clue: birds of one continent point there, silence abstains, numpy equals torch."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from engine.clues.agclip import score as agclip_score
from engine.core.errors import WeightsError
from engine.core.observation import Observation
from engine.models import agclip, birdnet
from engine.world.grid import world_grid

EUROPE = ("Parus major", "Turdus merula", "Erithacus rubecula", "Cuculus canorus")
AMERICA = ("Poecile atricapillus", "Cardinalis cardinalis", "Cyanocitta cristata", "Baeolophus bicolor")


def _heard(*latin: str, score: float = 0.95, author: str = birdnet.MODEL_ID) -> tuple[Observation, ...]:
    return tuple(
        Observation("species", "species", name, score, 3.0 * i, 3.0 * i + 3, author=author) for i, name in enumerate(latin)
    )


def _mean_lon(log_l: np.ndarray) -> float:
    grid = world_grid()
    mass = np.exp(log_l - log_l.max()) * grid.area_km2
    return float(grid.lat_lon_deg[1] @ mass / mass.sum())


def test_birds_point_to_their_continent():
    grid = world_grid()
    europe = agclip_score.log_likelihood(_heard(*EUROPE), grid)
    america = agclip_score.log_likelihood(_heard(*AMERICA), grid)
    assert -15 < _mean_lon(europe.log_likelihood) < 60
    assert -110 < _mean_lon(america.log_likelihood) < -60
    assert europe.modality == "sound" and agclip.MODEL_ID in europe.models


def test_one_bird_says_less_than_four():
    grid = world_grid()
    few, many = (agclip_score.log_likelihood(_heard(*names), grid).log_likelihood for names in (EUROPE[:1], EUROPE))
    assert many.max() > few.max()


def test_likelihood_has_mean_one_over_the_land():
    grid = world_grid()
    log_l = agclip_score.log_likelihood(_heard(*EUROPE), grid).log_likelihood
    assert (np.exp(log_l) @ grid.area_km2) / grid.area_km2.sum() == pytest.approx(1.0)


def test_silence_abstains():
    grid = world_grid()
    assert agclip_score.log_likelihood((), grid).abstained == "no sound was recognised"
    dog = Observation("species", "sound", "Dog", 0.9, 0.0, 3.0)
    assert "no animal" in (agclip_score.log_likelihood((dog,), grid).abstained or "")
    other = Observation("text", "species", EUROPE[0], 0.9, 0.0, 3.0)  # what another clue says is not its news
    assert agclip_score.log_likelihood((other,), grid).abstained


def test_a_species_counts_once_and_the_analyst_is_believed():
    twice = agclip_score.scores_of(_heard(EUROPE[0], EUROPE[0], score=0.5))
    assert twice.max() == pytest.approx(0.5)
    both = (*_heard(EUROPE[0], score=0.1), *_heard(EUROPE[0], score=0.9, author="analyst:Ann"))
    assert agclip_score.scores_of(both).max() == pytest.approx(0.9), "the confidence stated counts where the model is less sure"
    assert agclip_score.scores_of(_heard(EUROPE[0], score=1.0, author="analyst")).max() == pytest.approx(
        agclip_score.CONFIRMED_SCORE
    )
    assert agclip_score.scores_of(_heard("Nonexistens avis")).max() == 0.0


def test_refined_cells_agree_with_their_parent():
    grid = world_grid()
    at = int(grid.locate(np.array([48.8]), np.array([2.3]))[0])
    scores = agclip_score.scores_of(_heard(*EUROPE))
    fine = grid.refined(np.array([at]), 5)
    coarse_l = agclip_score.log_likelihood_from_scores(scores, grid)
    fine_l = agclip_score.log_likelihood_from_scores(scores, fine)
    inside = fine.parents(3) == grid.cells[at]
    assert inside.sum() > 40
    assert abs(np.log(np.exp(fine_l[inside]).mean()) - coarse_l[at]) < 0.7


def test_the_week_is_heard():
    grid = world_grid()
    winter, summer = (
        agclip_score.log_likelihood(_heard("Hirundo rustica", "Apus apus"), grid, date(2024, month, 10)).log_likelihood
        for month in (1, 6)
    )
    assert np.abs(winter - summer).max() > 1e-3  # heard, though it says little


def test_bad_scores_raise():
    net = agclip.agclip()
    with pytest.raises(ValueError, match="hears"):
        net.embed(np.zeros(5))
    with pytest.raises(ValueError, match="0 to 1"):
        net.embed(np.full(6522, np.nan))


def test_missing_and_altered_weights_say_so(tmp_path):
    with pytest.raises(WeightsError, match="train-agclip"):
        agclip.AgClip(tmp_path).embed(np.zeros(6522))
    (tmp_path / "weights.safetensors").write_bytes((agclip.FOLDER / "weights.safetensors").read_bytes()[:-1] + b"\x01")
    (tmp_path / "model.json").write_text((agclip.FOLDER / "model.json").read_text())
    with pytest.raises(WeightsError, match="card"):
        agclip.AgClip(tmp_path).embed(np.zeros(6522))


def test_shipped_weights_are_small_and_licensed():
    import json

    assert (agclip.FOLDER / "weights.safetensors").stat().st_size < 30e6
    assert json.loads((agclip.FOLDER / "model.json").read_text())["licence"] == "CC BY-NC-SA 4.0"


def test_numpy_equals_torch():
    import torch

    from engine.lab.train import agclip as train_agclip

    w = agclip.agclip()._weights
    setting = train_agclip.TrainSetting(width=len(w["middle.bias"]))
    net = train_agclip.network(setting, w["species_vector"]).eval()
    state = {k: torch.from_numpy(v) for k, v in w.items() if k in net.state_dict()}
    state["week.weight"] = torch.from_numpy(w["week.weight"])
    state["species_vector.weight"] = torch.from_numpy(np.vstack([w["species_vector"], np.zeros_like(w["species_vector"][:1])]))
    net.load_state_dict(state, strict=True)
    index = np.array([[10, 2000, 5000, 6522]])
    logit = np.array([[3.0, 0.5, -2.0, -9.0]], dtype=np.float32)
    u, v = agclip.level_weights(logit)
    u[0, 3] = v[0, 3] = 0.0
    with torch.no_grad():
        f, species = net(*(torch.from_numpy(x) for x in (index, u, v)), torch.tensor([20]))
    scores = np.zeros(6522)
    scores[index[0, :3]] = 1 / (1 + np.exp(-logit[0, :3].astype(float)))
    assert np.abs(agclip.agclip().embed(scores, 20)[0] - f.numpy()[0]).max() < 1e-3 * np.abs(f.numpy()).max()
    assert np.abs(agclip.agclip().checklist(scores, 20)[0] - torch.sigmoid(species).numpy()[0]).max() < 1e-3
