"""What a container says of itself: place, time, device, encoder. A witness that anyone can edit, so it is only heard.

Places are written in containers as ISO 6709 strings (QuickTime's `©xyz` and `com.apple.quicktime.location.ISO6709`,
3GPP's `loci`, which FFmpeg turns into the same string), as tags by themselves or in pairs (XMP, GUANO, Vorbis comments, ID3), or
ride along as timed tracks: GoPro's GPMF, Android's CAMM, and subtitles in which drones note their position.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from engine.core.clip import Clip
from engine.core.errors import DecoderError
from engine.core.observation import Observation
from engine.core.progress import Progress, ProgressCallback, silent
from engine.core.sphere import distance_km
from engine.media import camera_track, stated_place, stated_time, telemetry
from engine.media.reader import FileReader
from engine.media.source import shown
from engine.media.stated_place import SHOWN_CHARACTERS, Fix, Unclear, fix_of, parse_iso6709
from engine.media.stated_time import StatedTime

__all__ = ["Fix", "container_observations", "parse_iso6709", "stated_places", "timed_places"]

CLUE = "container"
MAX_TIMED_FIXES = 20_000
MAX_TIMED_SHOWN = 60
APART_KM, APART_DAYS = 10.0, 1  # farther from each other two claims disagree; a day is what clocks of different zones differ by
_NAMES = {
    "make": "device", "model": "device", "com.apple.quicktime.make": "device", "com.apple.quicktime.model": "device",
    "com.android.manufacturer": "device", "com.android.model": "device", "com.android.version": "software",
    "com.apple.quicktime.software": "software", "software": "software", "encoder": "encoder", "encoding_tool": "encoder",
    "writing_app": "encoder", "title": "title", "comment": "comment", "description": "description",
    "copyright": "copyright", "artist": "author", "author": "author", "recording_location": "place named",
    "com.apple.quicktime.location.name": "place named", "service_name": "broadcaster",
    "service_provider": "broadcaster", "location": "place named",
    "guano make": "device", "guano model": "device", "guano serial": "device", "guano note": "comment",
    "wamd model": "device", "wamd serial": "device", "wamd software": "software", "wamd notes": "comment",
    "bext originator": "device", "bext description": "description", "ixml location_name": "place named",
    "ixml note": "comment", "info icmt": "comment", "id3 comm": "comment", "xmp tiff:make": "device",
    "xmp tiff:model": "device", "xmp xmp:creatortool": "software", "xmp xmpdm:shotlocation": "place named",
    "exif make": "device", "exif model": "device", "exif hostcomputer": "device", "exif bodyserialnumber": "device",
    "exif software": "software", "exif lensmake": "lens", "exif lensmodel": "lens", "exif artist": "author",
    "exif copyright": "copyright", "exif imagedescription": "description", "png software": "software",
    "png author": "author", "png description": "description", "png title": "title", "png comment": "comment",
    "exif datetime": "file written", "xmp xmpmm:history/stevt:softwareagent": "edited with",
    "xmp xmpmm:history/stevt:action": "edit", "xmp xmpmm:history/stevt:when": "edited at",
}  # fmt: skip
_TRACK = r"^(audio|video|data|subtitle) \d+/"
_CLOCKS = ("creation_time",)
_TIMES = (
    *_CLOCKS, "date", "com.apple.quicktime.creationdate", "date_recorded", "date_encoded", "date_digitized", "date_tagged",
    "recording_date", "recordingdate", "recorded_date", "datetimeoriginal", "datetime", "timestamp", "icrd",
    "recordingstart", "recording_start", "date_created", "datecreated", "creationdate", "capture_date",
    "guano timestamp", "wamd start", "bext originationdate", "ixml bwf_origination_date", "ixml date", "info icrd",
    "ixml location_time", "id3 tdrc", "id3 tyer, tdat, time", "xmp xmp:createdate", "xmp photoshop:datecreated",
    "xmp exif:datetimeoriginal", "xmp exif:datetimedigitized", "xmp xmpdm:shotdate", "xmp exif:gpstimestamp",
    "xmp exif:gpsdatetime", "exif datetimeoriginal", "exif datetimedigitized", "exif gpsdatetime", "png creation time",
)  # fmt: skip
_COMMENTS = ("comment", "info icmt", "id3 comm", "bext description", "guano note", "description")
_PLACE_WORDS = (
    ("location", "sublocation", "locationname"), ("city",), ("state", "provincestate"), ("country", "countryname"),
)  # fmt: skip


@dataclass(slots=True)
class _Timed:
    """What timed tracks hold."""

    fixes: list[Fix] = field(default_factory=list)
    unclear: list[Unclear] = field(default_factory=list)
    stamp: str = ""


def stated_places(clip: Clip) -> tuple[Fix, ...]:
    """Places in the clip's tags, each once, in the order found."""
    return stated_place.places(clip.tags)[0]


def timed_places(reader: FileReader, progress: ProgressCallback = silent) -> tuple[Fix, ...]:
    """Fixes of timed tracks in order of time; at most MAX_TIMED_FIXES. Empty when there is no such track.

    A track of which it is in doubt which number is the latitude gives none.
    """
    return tuple(_timed(reader, progress).fixes)


def container_observations(
    clip: Clip, reader: FileReader | None = None, progress: ProgressCallback = silent
) -> tuple[Observation, ...]:
    """What the container claims, as observations of the clue "container", kind "tag".

    `name` says what it is, `label` its value, `note` where it was found and which other claim it disagrees with:

    - "location": label is ISO 6709; `vector` is float32 (lat_deg, lon_deg). One per place stated for the whole clip.
    - "timed location": the same with its time; at most MAX_TIMED_SHOWN, spread evenly over the track.
    - "location in doubt": what may be a place, or two places, and why it is not drawn; no vector.
    - "creation time": ISO 8601; the note says the local offset from UTC where the camera wrote one, and that it did not.
    - "year": a year or month that is all a tag states.
    - "device", "software", "encoder", "title", "place named", …: text, escaped and bounded.

    Args:
        reader: where timed tracks are read from; None leaves them out.
    """
    end_s = clip.duration_s or 0.0
    fixes, unclear = stated_place.places(clip.tags)
    timed = _timed(reader, progress) if reader is not None else _Timed()
    compared = [*fixes, *timed.fixes[:1]]
    made = [_located(fix, 0.0, end_s, _disagreement(fix, compared)) for fix in fixes]
    count = len(timed.fixes)
    for i in np.unique(np.linspace(0, count - 1, min(count, MAX_TIMED_SHOWN)).astype(int)) if count else ():
        at_s = timed.fixes[i].time_s or 0.0
        made.append(_located(timed.fixes[i], at_s, at_s, _disagreement(timed.fixes[i], compared) if i == 0 else ""))
    made += [_said("location in doubt", u.text, f"from {u.source}; {u.why}", end_s) for u in (*unclear, *timed.unclear)]
    texts = [*_times(clip.tags, timed.stamp), *_names(clip.tags), *_origin(reader)]
    seen = {o.key for o in made}
    for name, label, note in texts:
        observation = _said(name, label, note, end_s)
        if observation.key not in seen:
            seen.add(observation.key)
            made.append(observation)
    return tuple(made)


def _origin(reader: FileReader | None) -> list[tuple[str, str, str]]:
    """What the file tells of its making; that reading it failed is said, and takes nothing else with it."""
    if reader is None:
        return []
    try:
        return reader.origin()
    except DecoderError:
        return [
            ("content credentials", "cannot be read", "the process that reads them ended; the rest of the result is not affected")
        ]


def _said(name: str, label: str, note: str, end_s: float) -> Observation:
    return Observation(CLUE, "tag", label, 1.0, 0.0, end_s, name=name, author="container", note=note)


def _located(fix: Fix, start_s: float, end_s: float, disagreement: str) -> Observation:
    height = f"{fix.alt_m:+.1f}" if fix.alt_m is not None else ""
    return Observation(
        CLUE,
        "tag",
        f"{fix.lat_deg:+09.5f}{fix.lon_deg:+010.5f}{height}/",
        1.0,
        start_s,
        end_s,
        name="location" if fix.time_s is None else "timed location",
        author="container",
        note=f"from {fix.source}" + (f", named “{fix.name}”" if fix.name else "") + disagreement,
        vector=np.array([fix.lat_deg, fix.lon_deg], np.float32),
    )


def _disagreement(fix: Fix, others: list[Fix]) -> str:
    """That another place is stated far away, or ""."""
    for other in others:
        apart_km = float(distance_km(fix.lat_deg, fix.lon_deg, other.lat_deg, other.lon_deg))
        if apart_km > APART_KM:
            return f"; {apart_km:,.0f} km from the place stated in {other.source}"
    return ""


def _plain(key: str) -> str:
    """A tag's name in small letters, without the track and the language."""
    plain = re.sub(_TRACK, "", key).lower()
    return re.sub(r"-(eng|und|[a-z]{3})$", "", plain)


def _names(tags: tuple[tuple[str, str], ...]) -> list[tuple[str, str, str]]:
    """(name, label, note) of texts worth showing."""
    made = []
    for key, value in tags:
        plain, text = _plain(key), shown(value.strip(), SHOWN_CHARACTERS)
        if not text or plain not in _NAMES:
            continue
        if _NAMES[plain] != "place named" or stated_place.is_name(text):
            made.append((_NAMES[plain], text, f"from {shown(key, 60)}"))
        if plain in _COMMENTS and (recorder := stated_time.parse_comment(value)[1]):
            made.append(("device", recorder, f"from {shown(key, 60)}"))
    return made + _places_in_words(tags)


def _places_in_words(tags: tuple[tuple[str, str], ...]) -> list[tuple[str, str, str]]:
    """The parts of a place that XMP states one by one, put together: "Champ de Mars, Paris, France"."""
    parts: dict[str, dict[int, str]] = {}
    for key, value in tags:
        if not key.startswith("XMP "):
            continue
        path, _, last = key[4:].rpartition("/")
        word = last.rpartition(":")[2].lower()
        for rank, words in enumerate(_PLACE_WORDS):
            if word in words:
                parts.setdefault(path, {}).setdefault(rank, value.strip())
    made = []
    for path, own in parts.items():
        name = "place shown" if "LocationShown" in path else "place named"
        text = shown(", ".join(own[r] for r in sorted(own)), SHOWN_CHARACTERS)
        made.append((name, text, f"from XMP {shown(path, 60)}".rstrip()))
    return made


def _times(tags: tuple[tuple[str, str], ...], stamp: str) -> list[tuple[str, str, str]]:
    """(name, label, note) of the times stated, each once with all the tags that state it."""
    found: dict[str, tuple[StatedTime, dict[str, str]]] = {}
    years: list[tuple[str, str, str]] = []
    for key, value in (*tags, *([("drone subtitles", stamp)] if stamp else [])):
        plain = _plain(key)
        when = None
        if plain in _TIMES or plain == "drone subtitles":
            when = stated_time.parse_time(value[:100], clock=plain in _CLOCKS)
            if when is None and (year := stated_time.parse_year(value)):
                years.append(("year", year, f"from {shown(key, 60)}"))
        elif plain in _COMMENTS:
            when = stated_time.parse_comment(value)[0]
        if when is not None:
            sources = found.setdefault(when.label, (when, {}))[1]
            sources.setdefault(plain, re.sub(_TRACK, "", key))
    every = [(when, list(sources.values())) for when, sources in found.values()]
    return [("creation time", when.label, _note_of(when, sources, every)) for when, sources in every] + years


def _note_of(when: StatedTime, sources: list[str], every: list[tuple[StatedTime, list[str]]]) -> str:
    note = f"from {' and '.join(shown(s, 60) for s in sources[:3])}"
    offset = when.when.utcoffset()
    if when.whole_day:
        pass
    elif offset is None:
        note += "; its offset from UTC is not stated"
    elif offset:
        note += f"; the camera's clock stood at UTC{offset.total_seconds() / 3_600:+g}"
    for other, others in every:
        if abs((other.when.date() - when.when.date()).days) > APART_DAYS:
            return f"{note}; another day than {shown(others[0], 60)} states"
    return note


def _timed(reader: FileReader, progress: ProgressCallback) -> _Timed:
    """Read every data and subtitle track once."""
    made = _Timed()
    anchors = [(f.lat_deg, f.lon_deg) for f in stated_places(reader.clip)]
    for stream in reader.clip.streams:
        if stream.kind not in ("data", "subtitle"):
            continue
        readings: list[telemetry.Reading] = []
        for time_s, data in reader.raw_packets(stream.index):
            progress(Progress("reading positions from the file", time_s, reader.clip.duration_s, "s"))
            fixes, reading = _in_packet(time_s, data)
            made.fixes += fixes
            readings += [reading] if reading is not None else []
            if len(made.fixes) + len(readings) >= MAX_TIMED_FIXES:
                break
        fixes, unclear = _of_track(readings, anchors)
        made.fixes += fixes
        made.unclear += unclear
        made.stamp = made.stamp or next((r.stamp for r in readings if r.stamp), "")
    made.fixes = sorted(made.fixes[:MAX_TIMED_FIXES], key=lambda f: f.time_s or 0.0)
    return made


def _in_packet(time_s: float, data: bytes) -> tuple[list[Fix], telemetry.Reading | None]:
    """Fixes, or the two numbers of a text, of one packet of a data or subtitle track, whatever format it proves to be."""
    track = camera_track.positions(data)
    if track is None:
        return [], telemetry.read(time_s, telemetry.text_of(data))
    source, positions = track
    made = (fix_of(lat, lon, alt, "", source, time_s) for lat, lon, alt in positions)
    return [f for f in made if f is not None], None


def _of_track(readings: list[telemetry.Reading], anchors: list[tuple[float, float]]) -> tuple[list[Fix], list[Unclear]]:
    """The places of one track of subtitles; where it is in doubt what they mean, both readings of the first and no place."""
    if not readings:
        return [], []
    source = "drone subtitles"
    order = telemetry.order_of(readings, anchors)
    fixes: list[Fix] = []
    for reading in readings:
        meant = telemetry.places_of(reading, order.order)
        if reading.named and len(meant) > 1:
            meant = tuple(p for p in meant if any(distance_km(*p, *a) < telemetry.NEAR_KM for a in anchors)) or meant
        if len(meant) == 1:
            fix = fix_of(*meant[0], None, "", source, reading.time_s)
            fixes += [fix] if fix is not None else []
        elif meant:
            both = " or ".join(f"{lat:+09.5f}{lon:+010.5f}/" for lat, lon in meant)
            why = "the numbers may be degrees or radians" if reading.named else order.why
            return [], [Unclear(both, source, f"{why}, so that it is not drawn on the map")]
    return fixes, []
