"""The flow in Examine: Bayes by default, the flow's map when asked for, its samples and their way."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engine.models.flow.model import FOLDER

pytestmark = pytest.mark.skipif(not (FOLDER / "flow.safetensors").is_file(), reason="the flow's weights are not there")


def script() -> None:
    import streamlit as st

    from app.panels.flow import flow_caption, flow_switch
    from app.session import judging
    from app.session.session import current
    from engine import Clip, Interval, Observation, Perception, Stream

    b = current()
    if b.perception is None:
        heard = tuple(
            Observation("species", "species", latin, 0.9, 3.0 * k, 3.0 * k + 3, author="birdnet-v2.4")
            for k, latin in enumerate(("Parus major", "Cuculus canorus", "Erithacus rubecula"))
        )
        b.perception = Perception(
            Clip("c.wav", "0" * 64, 1, "wav", 10.0, (Stream(0, 1, "audio", "pcm"),)), Interval(0.0, 10.0), heard
        )
        b.layer = "sound"

    @st.fragment
    def draw() -> None:
        flow = flow_switch(b, judging.finding(b))
        if flow:
            flow_caption(flow, False)

    draw()


@pytest.fixture
def page() -> AppTest:
    at = AppTest.from_function(script, default_timeout=120)
    at.run()
    assert not at.exception
    return at


def asked(page: AppTest) -> AppTest:
    page.session_state["flow_model"] = "Flow"
    page.run()
    end = time.monotonic() + 200
    while page.session_state["flow_opinions"].work is not None and time.monotonic() < end:
        time.sleep(1.0)
        page.run()
    assert not page.exception
    return page


def test_bayes_is_the_default_and_nothing_is_worked_out(page: AppTest) -> None:
    assert page.session_state["flow_model"] == "Bayes"
    assert "flow_opinions" not in page.session_state


@pytest.mark.slow
def test_the_flow_points_where_such_birds_sing(page: AppTest) -> None:
    asked(page)
    held = page.session_state["flow_opinions"]
    assert not held.failed and len(held.made) == 1
    flow = next(iter(held.made.values()))
    assert flow.label == "posterior" and flow.inputs == ("sound",) and len(flow.lat_deg) == 200
    assert flow.path_lat_deg.shape == flow.path_lon_deg.shape and flow.path_lat_deg.shape[1] == 200
    europe = (flow.lat_deg > 33) & (flow.lat_deg < 72) & (flow.lon_deg > -12) & (flow.lon_deg < 65)
    assert europe.mean() > 0.6
    assert abs(flow.located.posterior.mass.sum() - 1) < 1e-6
    assert "provisional" in " ".join(e.proto.body for e in page.get("html"))


def test_animation_has_a_frame_a_station() -> None:
    from app.figures.flow import animation
    from engine import FlowMap

    ways = np.linspace(0, 1, 5)[:, None] * np.ones((5, 3))

    class Located:
        modality = "sound"

    flow = FlowMap(Located(), ("sound",), ways[-1], ways[-1], ways, ways, 2.0, "sharpened", 0.9, ())  # type: ignore[arg-type]
    figure = animation(flow, dark=False)
    assert len(figure.frames) == 5 and len(figure.layout.sliders[0].steps) == 5
    assert list(figure.frames[-1].data[0].x) == [1.0, 1.0, 1.0]
    assert len(figure.data[0].x) > 500  # the coast


def test_folder_of_weights_is_small() -> None:
    assert sum(f.stat().st_size for f in Path(FOLDER).iterdir()) < 20e6
