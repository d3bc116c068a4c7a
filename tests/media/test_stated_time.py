"""Times as tags state them."""

from __future__ import annotations

import pytest

from engine.core.clip import Clip
from engine.media.metadata import container_observations
from engine.media.stated_time import parse_comment, parse_time, parse_year


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("2021-04-10T06:30:00-04:00", "2021-04-10T06:30:00-04:00"),
        ("2021-04-10T06:30:00.123456Z", "2021-04-10T06:30:00+00:00"),
        ("2021:04:10 06:30:00", "2021-04-10T06:30:00"),
        ("2021:04:10 06:30:00+05:30", "2021-04-10T06:30:00+05:30"),
        ("2019.9.8 16:49:24", "2019-09-08T16:49:24"),
        ("20210410T063000Z", "2021-04-10T06:30:00+00:00"),
        ("2012-05-09T14:46:38-0400", "2012-05-09T14:46:38-04:00"),
        ("UTC 2021-04-10 15:30:00", "2021-04-10T15:30:00"),
        ("2021-04-10", "2021-04-10"),
        ("2020-04-02 15:19:58,720,764", "2020-04-02T15:19:58"),
        ("1958-05-01", "1958-05-01"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00"),
    ],
)
def test_forms(text: str, label: str) -> None:
    found = parse_time(text)
    assert found is not None and found.label == label


@pytest.mark.parametrize(
    "text",
    ["1904-01-01T00:00:00Z", "1970-01-01 00:00:00", "1969-12-31T19:00:00-05:00", "1980-01-01 00:00:00", "1980-01-06",
     "1601-01-01", "0000-00-00", "2021-13-01", "2021-02-30", "9999-01-01", "2021-04-10T25:00:00", "2021-04-10T06:30:00+99:00",
     "2021", "04/10/2021", "", "2021-04-10" * 20, "٢٠٢١-٠٤-١٠"],
)  # fmt: skip
def test_no_time_and_clocks_never_set(text: str) -> None:
    assert parse_time(text) is None


def test_a_counter_has_no_year_before_digital_recorders() -> None:
    assert parse_time("1958-05-01T00:00:00Z", clock=True) is None


def test_audiomoth_writes_the_day_first() -> None:
    time, recorder = parse_comment(
        "Recorded at 10:10:00 07/12/2021 (UTC) during deployment 05FD, by AudioMoth 24F31901603710E3 at medium gain setting"
    )
    assert time is not None and time.label == "2021-12-07T10:10:00+00:00" and recorder == "AudioMoth 24F31901603710E3"
    assert parse_comment("Recorded at 00:00:00 01/01/1970 (UTC) by AudioMoth 24F31901603710E3")[0] is None
    assert parse_comment("Recorded at 10:10:00 31/02/2021 (UTC)") == (None, "")


def test_years_are_listed_and_are_no_day() -> None:
    assert parse_year("2021-04") == "2021-04" and parse_year("1970") is None and parse_year("20211") is None
    clip = Clip("x", "0" * 64, 1, "x", 1.0, tags=(("date", "2019"),))
    assert [(o.name, o.label) for o in container_observations(clip)] == [("year", "2019")]


def test_a_recorder_that_writes_vorbis_comments() -> None:
    tags = (("RecordingStart", "2020-02-10T09:34:00+10:00"), ("SensorLocation", "-27.4693+153.0235"))
    found = [(o.name, o.label) for o in container_observations(Clip("x", "0" * 64, 1, "flac", 1.0, tags=tags))]
    assert found == [("location", "-27.46930+153.02350/"), ("creation time", "2020-02-10T09:34:00+10:00")]


def test_one_time_of_two_tags_is_listed_once_and_other_days_are_said() -> None:
    tags = (
        ("creation_time", "2021-04-11T01:30:00.000000Z"),
        ("com.apple.quicktime.creationdate", "2021-04-10T21:30:00-0400"),
        ("audio 1/creation_time", "2021-04-11T01:30:00.000000Z"),
        ("date", "2015-01-02"),
    )
    found = [o for o in container_observations(Clip("x", "0" * 64, 1, "x", 1.0, tags=tags)) if o.name == "creation time"]
    assert len(found) == 3
    assert "another day than date states" in found[0].note and "UTC-4" in found[1].note
