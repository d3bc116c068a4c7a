"""Bundles: what is in them, that nothing in them can be altered unseen, and that a hostile one is refused in a sentence."""

from __future__ import annotations

import copy
import functools
import hashlib
import io
import json
import stat
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import made
from test_report_html import Tone, ranges

from engine import cli
from engine.case.record import bundle, codec, reproduce
from engine.core.clip import Interval
from engine.core.custody import Custody
from engine.core.errors import InputError
from engine.core.finding import Finding
from engine.report import to_json

CUSTODY = Custody("Golf", "c0ffee" * 10 + "beef", "1234")


def finding() -> Finding:
    return replace(made.finding(two_speak=True, interval=Interval(0.0, 24.0)), comparisons=(made.COMPARISON,))


@functools.cache
def packed() -> bytes:
    found = finding()
    return bundle.to_bundle(found, Tone(found.clip), ranges, CUSTODY)  # type: ignore[arg-type]


def entries() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed())) as archive:
        return {n: archive.read(n) for n in archive.namelist()}


def zipped(folder: Path, documents: dict[str, bytes]) -> Path:
    path = folder / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in documents.items():
            archive.writestr(name, data)
    return path


def test_the_bundle_holds_everything_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(packed())
    read = bundle.read_bundle(path)
    assert not read.faults and read.finding == to_json(finding(), CUSTODY)
    names = {e.name for e in read.manifest.entries}
    assert names == set(entries()) - {"manifest.json"}
    assert {n.rsplit(".", 1)[1] for n in names} == {"json", "geojson", "kml", "csv", "html", "pdf", "txt", "eaf"}
    m = read.manifest
    assert m.settings == finding().settings and m.perceived is None and m.head == CUSTODY.head and m.seed == 0
    assert dict(m.models)[made.MODELS[0]] and dict(m.versions)["numpy"] and dict(m.tables)["models/claim.json"]


@pytest.mark.slow
def test_the_same_finding_gives_the_same_bytes() -> None:
    assert packed() == packed.__wrapped__()


@pytest.mark.parametrize("name", ["finding.json", "report.pdf", "readme.txt"])
def test_an_altered_entry_is_named(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    documents = entries()
    documents[name] = documents[name].replace(b"a", b"b", 1)
    path = zipped(tmp_path, documents)
    assert bundle.read_bundle(path).faults[0] == f"{name} is not the file that the manifest names; it was altered."
    assert cli.main(["verify", str(path)]) == 1 and name in capsys.readouterr().out
    with pytest.raises(InputError, match=name):
        reproduce.reproduce(bundle.read_bundle(path), tmp_path / "clip.mp4")


def resealed(documents: dict[str, bytes]) -> dict[str, bytes]:
    """With a manifest that fits what was altered."""
    manifest = json.loads(documents["manifest.json"])
    for e in manifest["entries"]:
        data = documents[e["name"]]
        e["size_bytes"], e["sha256"] = len(data), hashlib.sha256(data).hexdigest()
    return documents | {"manifest.json": json.dumps(manifest).encode()}


def test_numbers_altered_with_a_manifest_that_fits_do_not_fit_the_reports(tmp_path: Path) -> None:
    documents = entries()
    document = json.loads(documents["finding.json"])
    document["comparisons"][0]["log10_factor"] = -4.0
    documents["finding.json"] = (json.dumps(document, indent=2) + "\n").encode()
    assert bundle.read_bundle(zipped(tmp_path, resealed(documents))).faults == (
        "report.html is a report of other numbers than those in finding.json.",
        "report.pdf is a report of other numbers than those in finding.json.",
    )


@pytest.mark.parametrize(
    "name, was, now", [("places.csv", b"moderate", b"strong"), ("report.html", b"Moderate support", b"Strong support")]
)
def test_a_table_or_verdict_that_the_numbers_do_not_give_is_named(tmp_path: Path, name: str, was: bytes, now: bytes) -> None:
    """With a manifest that fits, only running it again shows this."""
    documents = entries()
    assert was in documents[name]
    assert not list(reproduce._documents(documents, finding()))
    documents[name] = documents[name].replace(was, now)
    read = bundle.read_bundle(zipped(tmp_path, resealed(documents)))
    assert not read.faults
    assert [d.what.split(",")[0] for d in reproduce._documents(read.documents, finding())] == [name]


def test_entries_missing_or_added_are_named(tmp_path: Path) -> None:
    documents = entries()
    del documents["tiers.eaf"]
    documents["more.txt"] = b"x"
    faults = bundle.read_bundle(zipped(tmp_path, documents)).faults
    assert faults == (
        "tiers.eaf is named in the manifest and missing.",
        "more.txt is not in the manifest; it was put in afterwards.",
    )


def test_a_whole_bundle_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(packed())
    assert cli.main(["verify", str(path)]) == 0
    out = capsys.readouterr().out
    assert "nothing altered" in out and CUSTODY.head in out and "cannot show" in out
    assert cli.main(["verify", str(path), "--head", CUSTODY.head]) == 0
    assert cli.main(["verify", str(path), "--head", "0" * 64]) == 1


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("finding.json")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "name",
    ["../evil.txt", "/etc/passwd", "a/b.txt", "..", "C:evil", "a\\b.txt", "a..b", "x" * 70, "con:aux", "\u202egpj.exe", "A.TXT"],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="leads elsewhere"):
        bundle.read_bundle(zipped(tmp_path, {name: b"x"}))


def test_hostile_archives_are_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.zip"

    def refused(says: str) -> None:
        assert cli.main(["reproduce", str(path), str(path)]) == 2
        err = capsys.readouterr().err
        assert says in err and len(err.strip().splitlines()) == 1 and "Traceback" not in err, err

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link(), "/etc/passwd")
    refused("a link or a device")
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.txt", "1")
        archive.writestr("a.txt", "2")
    refused("two entries")
    zipped(tmp_path, {f"f{i}": b"" for i in range(100)})
    refused("100 entries")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.txt", "1")
    refused("packed as no bundle is")
    monkeypatch.setattr(bundle, "MOST_BYTES", 1_000_000)
    zipped(tmp_path, {"a.txt": bytes(900_000), "b.txt": bytes(200_000)})
    refused("unpacks to more than")
    path.write_bytes(bytes(2_000_000))
    refused("is larger than")
    path.write_bytes(b"PK\x03\x04 not a zip")
    refused("damaged")
    zipped(tmp_path, {"a.txt": b"x"})
    refused("holds no manifest.json")


@pytest.mark.parametrize("size", [10, 500_000])
def test_a_size_that_lies_is_no_way_in(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The central directory says ten bytes, or more than there are; what is unpacked is counted all the same."""
    monkeypatch.setattr(bundle, "MOST_BYTES", 1_000_000)
    path = zipped(tmp_path, {"a.txt": bytes(4_000_000)})
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = size.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError):
        bundle.read_bundle(path)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "other/9"}, {"settings": {"prior": "moon"}}, {"settings": 3}, {"clip": {}}, {"entries": [1]},
        {"perceived": [9, 3]}, {"clip": {"name": "x", "sha256": "../..", "size_bytes": 1}}, {"models": [1, 2]}, {"case": 7},
    ],
)  # fmt: skip
def test_a_manifest_that_makes_no_sense_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    documents = entries()
    documents["manifest.json"] = json.dumps(json.loads(documents["manifest.json"]) | change).encode()
    with pytest.raises(Exception) as caught:
        bundle.read_bundle(zipped(tmp_path, documents))
    assert caught.value.exit_code == 2 and str(caught.value).endswith(".") and "\n" not in str(caught.value)


def document() -> dict[str, object]:
    return json.loads(to_json(finding()))


def test_a_finding_is_the_same_as_itself_and_within_tolerance() -> None:
    now = document()
    found = reproduce.compare(document(), now)
    assert found.same and found.compared > 15 and dict((n, c) for n, c, _ in found.groups)["verdict and factors"] > 5
    now["comparisons"][0]["log10_factor"] += 0.9 * reproduce.LOG10  # type: ignore[index]
    now["perceived"][0]["best_score"] -= 0.9 * reproduce.SCORE  # type: ignore[index]
    assert reproduce.compare(document(), now).same


@pytest.mark.parametrize(
    "path, value, says",
    [
        (("comparisons", 0, "verdict"), "same place", "verdict"),
        (("comparisons", 0, "log10_factor"), -1.9, "log10 factor"),
        (("comparisons", 0, "log10_low"), -1.0, "end of the factor's interval"),
        (("located", 0, "regions", 1, "area_km2"), 1.0, "km² of the 90% region"),
        (("edits",), [{"what": "drop", "target": "x"}], "decisions of the analyst"),
        (("located", 0, "place", "lat_deg"), 40.0, "sound, place"),
        (("located", 0, "spoke"), False, "sound, speaks"),
        (("located", 0, "cells"), [], "probability that moved"),
        (("perceived", 0, "best_score"), 0.5, "best score"),
        (("perceived",), [], "perceived:"),
        (("evidence", 1, "spoke"), True, "clue hum"),
        (("scenes",), 3, "scenes"),
    ],
)
def test_each_difference_is_named(path: tuple[str | int, ...], value: object, says: str) -> None:
    now = copy.deepcopy(document())
    *way, last = path
    at = functools.reduce(lambda x, k: x[k], way, now)  # type: ignore[index, return-value]
    at[last] = value  # type: ignore[index]
    found = reproduce.compare(document(), now)
    assert not found.same and any(says in d.what for d in found.differences), found


def test_settings_with_the_place_of_a_sign_are_kept() -> None:
    from engine.analysis import edits as hand
    from engine.core.edit import apply_edit

    sign = hand.add_sign("AUGUSTA", 1.0, 2.0, 0.9, "Ann", place=(33.47, -81.97))
    settings = apply_edit(finding().settings, sign)
    back = codec.settings_from_json(codec.settings_to_json(settings))
    assert [float(x) for x in back.added[0].vector] == pytest.approx([33.47, -81.97])  # type: ignore[union-attr]
    assert codec.settings_to_json(back) == codec.settings_to_json(settings)
