"""Tables of detections made elsewhere, in the forms that their programs write, and in forms that nobody should write."""

from __future__ import annotations

import pytest

from engine.clues.species import detections
from engine.core.errors import DataError

RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies\n"
    "1\tWaveform 1\t1\t1.25\t2.5\t2000\t8000\tGreat Tit\n"
    "1\tSpectrogram 1\t1\t1.25\t2.5\t2000\t8000\tGreat Tit\n"
    "2\tSpectrogram 1\t1\t4.0\t5.0\t300\t900\tCuculus canorus\n"
)
BIRDNET_RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tCommon Name\tSpecies Code\t"
    "Confidence\tBegin Path\tFile Offset (s)\n"
    "1\tSpectrogram 1\t1\t0.0\t3.0\t0\t15000\tGreat Tit\tgretit1\t0.8123\t/x/one.wav\t0.0\n"
    "2\tSpectrogram 1\t1\t60.0\t63.0\t0\t15000\tCommon Cuckoo\tcomcuc\t0.5\t/x/two.wav\t0.0\n"
)
CSV = "Start (s),End (s),Scientific name,Common name,Confidence,File\n0.0,3.0,Parus major,Kohlmeise,0.81,/x/one.wav\n"
R = (
    "filepath,start,end,scientific_name,common_name,confidence,lat,lon,week,overlap,sensitivity,min_conf,species_list,model\n"
    '"C:\\x, y\\one.wav",0.0,3.0,Parus major,Kohlmeise,0.81,-1,-1,-1,0,1,0.1,,BirdNET\n'
)
KALEIDOSCOPE = (
    "INDIR,FOLDER,IN FILE,OFFSET,DURATION,scientific_name,common_name,confidence,lat,lon,week,overlap,sensitivity\n"
    "/x,y,one.wav,6.0,3.0,Parus major,Kohlmeise,0.81,-1,-1,-1,0,1\n"
)
OWN_KALEIDOSCOPE = (
    "INDIR,FOLDER,IN FILE,OFFSET,DURATION,TOP1MATCH,TOP1DIST,MANUAL ID\n/x,y,one.wav,6.0,3.0,Blackcap,0.2,Great_Tit\n"
)
AUDACITY = "0.000000\t3.000000\tParus major_Great Tit\t0.8123\n\\\t2000.0\t8000.0\n4.5\t4.5\tCuculus canorus, Common Cuckoo\n"


def read(text: str | bytes, **given: object) -> detections.Table:
    return detections.read(text if isinstance(text, bytes) else text.encode(), "table.txt", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text, form, start_s, end_s, score",
    [
        (RAVEN, "Raven selection table", 1.25, 2.5, detections.NO_SCORE),
        (BIRDNET_RAVEN, "BirdNET's Raven table", 0.0, 3.0, 0.8123),
        (CSV, "BirdNET CSV", 0.0, 3.0, 0.81),
        (R, "BirdNET's table for R", 0.0, 3.0, 0.81),
        (KALEIDOSCOPE, "Kaleidoscope table", 6.0, 9.0, 0.81),
        (OWN_KALEIDOSCOPE, "Kaleidoscope table", 6.0, 9.0, detections.NO_SCORE),
        (AUDACITY, "Audacity labels", 0.0, 3.0, 0.8123),
    ],
)
def test_forms(text: str, form: str, start_s: float, end_s: float, score: float) -> None:
    table = read(text, clip_name="/home/me/one.mp4", author="Ann")
    assert table.form == form and table.unknown == ()
    first = table.observations[0]
    assert (first.label, first.name) == ("Parus major", "Great Tit")
    assert (first.start_s, first.end_s, first.score) == (start_s, end_s, score)
    assert first.author == ("analyst:Ann" if score == detections.NO_SCORE else "table:table.txt")


def test_a_selection_shown_in_two_views_counts_once() -> None:
    assert [o.label for o in read(RAVEN).observations] == ["Parus major", "Cuculus canorus"]


def test_rows_alike_but_for_their_line_stay_in_the_tables_order() -> None:
    table = read("start,species\n" + "1,Great Tit\n" * 9)
    assert [o.note.split()[1] for o in table.observations] == [str(n) for n in range(2, 11)]


def test_a_table_of_several_recordings_gives_this_clips_rows_at_their_own_times() -> None:
    table = read(BIRDNET_RAVEN, clip_name="two.mov")
    assert [(o.label, o.start_s, o.end_s) for o in table.observations] == [("Cuculus canorus", 0.0, 3.0)]
    assert "1 rows of other recordings" in table.remarks[0]
    with pytest.raises(DataError, match="none is called three"):
        read(BIRDNET_RAVEN, clip_name="three.mp4")


def test_a_label_without_length_stands_for_a_window() -> None:
    last = read(AUDACITY).observations[-1]
    assert (last.start_s, last.end_s) == (4.5, 7.5)


def test_unknown_names_are_listed_and_never_guessed() -> None:
    table = read("start,species\n1,Great Titt\n2,Great Titt\n3,nocall\n4,Great Tit\n5,Большая синица\n")
    assert [o.label for o in table.observations] == ["Parus major"]
    assert table.unknown == (("Great Titt", 2), ("Большая синица", 1))


def test_classes_that_are_no_species() -> None:
    assert read("start,species\n1,Dog\n").observations[0].kind == "sound"


@pytest.mark.parametrize(
    "encoded",
    [CSV.encode("utf-8-sig"), CSV.encode("utf-16"), CSV.replace("\n", "\r\n").encode(), CSV.replace("\n", "\r").encode()],
)
def test_encodings_and_line_ends(encoded: bytes) -> None:
    assert len(read(encoded).observations) == 1


def test_decimal_commas() -> None:
    table = read("Start (s);End (s);Scientific name;Confidence\n1,5;4,5;Parus major;0,9\n")
    assert (table.observations[0].start_s, table.observations[0].score) == (1.5, 0.9)


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        (b"RIFF\0\0WAVE", "is no text"),
        ("a,b\n1,2\n", "no column of start times"),
        ("start,end\n1,2\n", "no column of species"),
        ("start,species\n1,Great Tit\nx,Great Tit\n", "Line 3"),
        ("start,species\n-1,Great Tit\n", "Line 2"),
        ("start,species\ninf,Great Tit\n", "Line 2"),
        ("start,species\n1e999,Great Tit\n", "Line 2"),
        ("start,end,species\n5,2,Great Tit\n", "before its start"),
        ("start,species,confidence\n5,Great Tit,90\n", "from 0 to 1"),
        ("start,species,confidence\n5,Great Tit,nan\n", "from 0 to 1"),
        ("1.0\t2.0\tGreat Tit\n3.0\tx\tGreat Tit\n", "Line 2"),
        ("start,species\n", "holds no detections"),
        ("start,species\n1," + "x" * 9000 + "\n", "too long"),
        ("start,species" + "," * 300 + "\n1,Great Tit" + "," * 300 + "\n", "too long"),
        ("x" * 100_000, "too long|characters long"),
    ],
)
def test_faults_are_one_sentence_with_line_and_remedy(text: str | bytes, says: str) -> None:
    with pytest.raises(DataError, match=says) as told:
        read(text)
    said = str(told.value)
    assert said.endswith(".") and "\n" not in said and len(said) < 400


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detections, "MOST_ROWS", 10)
    with pytest.raises(DataError, match="more than 10 rows"):
        read("start,species\n" + "1,Great Tit\n" * 20)
    monkeypatch.setattr(detections, "MOST_BYTES", 10)
    with pytest.raises(DataError, match="larger than"):
        read(CSV)


def test_hostile_text_stays_text() -> None:
    evil = "start,species\n1,<script>alert(1)</script>\x1b[31m\u202e=CMD()\n2,Great Tit\n"
    table = detections.read(evil.encode(), "evil\x1b]0;x\x07.csv")
    assert "\x1b" not in table.name and all("\x1b" not in n and "\u202e" not in n for n, _ in table.unknown)


def test_rows_after_the_end_of_the_clip() -> None:
    table = read("start,species\n1,Great Tit\n99,Great Tit\n", duration_s=24.0)
    assert len(table.observations) == 1 and "after the end" in table.remarks[0]
    with pytest.raises(DataError, match="table of this clip"):
        read("start,species\n99,Great Tit\n", duration_s=24.0)
