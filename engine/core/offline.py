"""Switches that keep libraries from reporting on us, in one place.

Some libraries report their use to their makers unless the environment says no, and read it once, when they are loaded: ONNX
Runtime makes a device id and looks up its maker's server as soon as it is imported. So `engine` sets these when it is itself
imported, before any of them can be: command line, app, worker, decoder, the processes of a batch and scripts all begin with it,
and what they start inherits them.

Sources: the files of the releases in requirements.lock (`onnxruntime/capi`, `huggingface_hub/constants.py`, `trl/trainer`,
`streamlit/config.py`), and the manuals of Ray ("Usage stats collection"), PROJ ("Network capabilities"), Apache Arrow
("Environment variables") and consoledonottrack.com.
"""

from __future__ import annotations

import contextlib
import os
import sys

SILENT = {
    "ORT_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "DISABLE_TELEMETRY": "1",  # the hub's libraries, older name
    "HF_HUB_DISABLE_TELEMETRY": "1",  # also what trl asks before it reports a training
    "ANONYMIZED_TELEMETRY": "False",
    "RAY_USAGE_STATS_ENABLED": "0",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "PROJ_NETWORK": "OFF",  # or a projection could fetch its grids
    "ARROW_TRACING_BACKEND": "",
    "OTEL_SDK_DISABLED": "true",
}
"""Reports of use and fetching in passing. Nobody who imports `engine` needs them, so they are off for the whole process."""

HUB = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_XET": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # of loading, drawn into whatever the terminal shows
}
"""Downloads of the hub's libraries: set by whoever loads a model with them (`engine.models.offline`), since a script of the
analyst's own may use the hub for something else."""


def silence() -> None:
    """Set the switches for this process and all that it starts, whatever they were.

    A library that a script imported before `engine` has begun already: of ONNX Runtime, further events are stopped.
    """
    os.environ.update(SILENT)
    runtime = sys.modules.get("onnxruntime")
    if runtime is not None:
        with contextlib.suppress(Exception):
            runtime.disable_telemetry_events()
