"""The pages' tests keep jobs, results and uploads in a folder of their own, and leave no worker behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.session import jobs


@pytest.fixture(scope="session", autouse=True)
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One folder and one worker for all pages: the same example is perceived once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EARWITNESS_KEPT", str(tmp_path_factory.mktemp("kept")))
        yield
        jobs.queue().stop_worker()


@pytest.fixture(autouse=True)
def shown_to_nobody(kept: None) -> None:
    """Each test is a person who has seen no clip yet, so that one can be judged blind."""
    for marker in jobs.queue().folder.glob("*/shown"):
        marker.unlink()
