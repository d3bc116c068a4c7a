"""Systems of others beside AG-CLIP, run on recordings where their weights lie in a folder: files below `--weights`.

    agclip-mobilenetv3.pt                        AG-CLIP on spectrograms, the authors' checkpoint or one trained here
    geoclap.ckpt, geoclap-gallery.json,          GeoCLAP as published; the gallery holds its satellite vectors by place,
    clap-htsat-fused/                            {"lat_lon": [512 numbers]}, as the benchmark's own script writes it
    taxabind/audio/, taxabind/location.pt        TaxaBind as published
    clap-htsat-fused/                            CLAP's vector, AG-CLIP's head trained on the other recordings
    wav2clip.pt                                  Wav2CLIP's vector, the same

Source: Chasmai et al. 2025, arXiv 2505.18726, section 4; cvl-umass/nat-sound2loc-code, `baselines/` (formats).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import DataError, WeightsError
from engine.core.file import DATA_BYTES, read_text
from engine.lab.bench import metrics
from engine.lab.bench.gallery_choice import gallery_of, geoclip_vectors
from engine.lab.data.manifest import Sample
from engine.lab.train import baseline
from engine.models import agclip_image, spectrogram
from engine.models.audio_encoders import AudioEncoder, Clap, Wav2Clip
from engine.models.geoclip_location import LocationEncoder
from engine.models.location_encoders import GeoClip

Array = NDArray[np.float64]
EPOCHS = 50


@dataclass(frozen=True, slots=True)
class System:
    """One system.

    Attributes:
        needs: files and folders below the weights folder.
        whence: where they come from.
        places: of (samples, weights folder, fold of each) to (lat, lon), each (n,) degrees.
    """

    name: str
    needs: tuple[str, ...]
    whence: str
    places: Callable[[Sequence[Sample], Path, NDArray[np.int64]], tuple[Array, Array]]
    note: str = ""

    def errors(self, samples: Sequence[Sample], weights: Path, fold: NDArray[np.int64]) -> Array:
        """Errors in km (n,).

        Raises:
            WeightsError: a file is missing; the text says which, and where it comes from.
        """
        absent = [n for n in self.needs if not (weights / n).exists()]
        if absent:
            raise WeightsError(f"{weights / absent[0]} is missing ({self.whence})")
        truth = np.array([(s.lat_deg, s.lon_deg) for s in samples]).T
        return metrics.errors_km(*self.places(samples, weights, fold), *truth)


def sound_of(sample: Sample, rate_hz: int) -> NDArray[np.float32]:
    """Mono sound (n,) of a recording."""
    from engine.media import open_clip

    with open_clip(sample.path) as reader:
        return np.concatenate([b.samples for b in reader.audio(rate_hz)])


def vectors(samples: Sequence[Sample], encoder: AudioEncoder) -> NDArray[np.float32]:
    """(n, d) unit vectors of recordings."""
    return np.stack([encoder.embed(sound_of(s, encoder.rate_hz)) for s in samples])


def nearest(said: NDArray[np.float32], gallery_vectors: NDArray[np.float32], lat: Array, lon: Array) -> tuple[Array, Array]:
    """Places (n,), (n,) of a gallery (m,) whose vectors (m, d) are nearest."""
    best = np.concatenate([(part @ gallery_vectors.T).argmax(axis=1) for part in np.array_split(said, 1 + len(said) // 200)])
    return lat[best], lon[best]


def _images(samples: Sequence[Sample], weights: Path, fold: NDArray[np.int64]) -> tuple[Array, Array]:
    net = agclip_image.load(weights / "agclip-mobilenetv3.pt")
    s = spectrogram.setting("code" if agclip_image.shares_hidden(net) else "paper")
    said = np.stack([agclip_image.embed(net, sound_of(x, s.rate_hz), s)[1].mean(axis=0) for x in samples])
    gallery = gallery_of("geoclip")
    return nearest(said, geoclip_vectors(gallery), gallery.lat_deg, gallery.lon_deg)


def _geoclap(samples: Sequence[Sample], weights: Path, fold: NDArray[np.int64]) -> tuple[Array, Array]:
    lat, lon, gallery_vectors = read_gallery(weights / "geoclap-gallery.json")
    return nearest(vectors(samples, Clap(weights / "clap-htsat-fused", weights / "geoclap.ckpt")), gallery_vectors, lat, lon)


def _taxabind(samples: Sequence[Sample], weights: Path, fold: NDArray[np.int64]) -> tuple[Array, Array]:
    gallery = gallery_of("land")
    gallery_vectors = LocationEncoder(weights / "taxabind" / "location.pt").embed(gallery.lat_deg, gallery.lon_deg)
    return nearest(vectors(samples, Clap(weights / "taxabind" / "audio")), gallery_vectors, gallery.lat_deg, gallery.lon_deg)


def _headed(encoder: Callable[[Path], AudioEncoder]) -> Callable[..., tuple[Array, Array]]:
    def places(samples: Sequence[Sample], weights: Path, fold: NDArray[np.int64]) -> tuple[Array, Array]:
        return crossvalidated(vectors(samples, encoder(weights)), samples, fold)

    return places


def crossvalidated(x: NDArray[np.float32], samples: Sequence[Sample], fold: NDArray[np.int64]) -> tuple[Array, Array]:
    """Places by AG-CLIP's location head on vectors (n, d), each fold's trained on the others."""
    lat, lon = np.array([(s.lat_deg, s.lon_deg) for s in samples]).T
    gallery = gallery_of("geoclip")
    out = np.empty((2, len(samples)))
    for f in np.unique(fold):
        inside, others = fold == f, fold != f
        train = baseline.Rows(x[others], lat[others], lon[others])
        task = baseline.task("retrieval-geoclip", train, gallery, GeoClip())
        forward = baseline.fit(task, train, baseline.Schedule(epochs=EPOCHS))
        out[:, inside] = task.decode(forward(x[inside]))
    return out[0], out[1]


def read_gallery(path: Path) -> tuple[Array, Array, NDArray[np.float32]]:
    """Latitudes, longitudes (m,) and unit vectors (m, d) of a gallery {"lat_lon": [numbers]}.

    Raises:
        DataError: missing or of another form.
    """
    try:
        gallery_vectors = json.loads(read_text(path, DATA_BYTES, "gallery"))
        where = np.array([[float(x) for x in key.split("_")] for key in gallery_vectors], dtype=np.float64)
        x = np.array(list(gallery_vectors.values()), dtype=np.float32)
    except (ValueError, TypeError, AttributeError, RecursionError) as wrong:
        raise DataError(f'{path} is not a gallery of the form {{"lat_lon": [numbers]}}; write it again.') from wrong
    if where.ndim != 2 or where.shape[1] != 2 or x.ndim != 2 or not np.isfinite(x).all():
        raise DataError(f'{path} is not a gallery of the form {{"lat_lon": [numbers]}}; write it again.')
    return where[:, 0], where[:, 1], x / np.maximum(1e-12, np.linalg.norm(x, axis=1, keepdims=True))


_CV = "head trained on the other recordings, by place"
SYSTEMS = (
    System(
        "AG-CLIP on MobileNetV3",
        ("agclip-mobilenetv3.pt",),
        "the authors' checkpoint, linked from github.com/cvl-umass/nat-sound2loc-code",
        _images,
    ),
    System(
        "GeoCLAP, as published",
        ("geoclap.ckpt", "geoclap-gallery.json", "clap-htsat-fused"),
        "github.com/mvrl/geoclap, and its satellite vectors of a gallery",
        _geoclap,
    ),
    System(
        "TaxaBind, as published", ("taxabind/audio", "taxabind/location.pt"), "huggingface.co/MVRL", _taxabind, "gallery land"
    ),
    System(
        "CLAP and AG-CLIP's head",
        ("clap-htsat-fused",),
        "huggingface.co/laion/clap-htsat-fused",
        _headed(lambda w: Clap(w / "clap-htsat-fused")),
        _CV,
    ),
    System(
        "Wav2CLIP and AG-CLIP's head",
        ("wav2clip.pt",),
        "github.com/descriptinc/lyrebird-wav2clip",
        _headed(lambda w: Wav2Clip(w / "wav2clip.pt")),
        _CV,
    ),
)
