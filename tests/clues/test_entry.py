"""A claimed place in words: countries before villages, abbreviations, and nothing guessed."""

from __future__ import annotations

import pytest

from engine import cli
from engine.clues.text.entry import find_places, one_place
from engine.core.errors import SettingError

COUNTRIES = ["UK", "uk", "U.K.", "USA", "US", "UAE", "DRC", "Holland", "Ivory Coast", "Burma", "Czechia", "South Korea", "Korea"]
COUNTRIES += ["America", "Great Britain", "Deutschland", "Türkiye", "Niger", "Congo", "Lebanon", "Jordan", "Cuba", "Mexico", "AU"]
REGIONS = ["England", "Scotland", "Wales", "Northern Ireland", "Texas", "Georgia", "Georgia, USA", "Ontario", "California"]
REGIONS += ["Bavaria", "Punjab", "Victoria", "Victoria, Australia", "Washington", "TX", "NSW"]


@pytest.mark.parametrize("text", [*COUNTRIES, *REGIONS])
def test_a_country_or_region_is_refused_with_a_town_to_name(text: str) -> None:
    with pytest.raises(SettingError, match="is a whole region or country") as refused:
        one_place(text)
    said = str(refused.value)
    town = said.partition(", such as ")[2].split(", or give")[0]
    assert one_place(town).name.startswith(town.split(",")[0])


@pytest.mark.parametrize("text", ["Africa", "Europe", "Southern Europe", "South America", "Siberia", "Borneo"])
def test_a_part_of_the_world_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="part of the world"):
        one_place(text)


@pytest.mark.parametrize(
    ("text", "country", "place"),
    [
        ("Isle of Wight", "the UK", "Isle of Wight, Virginia, USA"),
        ("Cornwall", "the UK", "Cornwall, Ontario, Canada"),
        ("Kent", "the UK", "Kent, Washington, USA"),
        ("Rhône", "France", ""),
    ],
)
def test_a_county_or_island_is_not_the_village_of_its_name_elsewhere(text: str, country: str, place: str) -> None:
    with pytest.raises(SettingError, match=f"whole county or island in {country}") as refused:
        one_place(text)
    assert (f'"{place}"' in str(refused.value)) if place else "write" not in str(refused.value)


def test_a_country_is_not_a_region_by_a_translators_slip() -> None:
    with pytest.raises(SettingError, match=r"country \(Togo\)"):
        one_place("Togo")


@pytest.mark.parametrize("text", ["Crimea", "Kashmir", "the Golan Heights", "Somaliland"])
def test_a_disputed_area_is_a_region_too(text: str) -> None:
    with pytest.raises(SettingError, match="whole region"):
        one_place(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Uk, Irkutsk", "Uk, Irkutsk, Russia"),
        ("Uk, Russia", "Uk, Irkutsk, Russia"),
        ("London, ON", "London, Ontario, Canada"),
        ("London, UK", "London, England, UK"),
        ("London, England", "London, England, UK"),
        ("Paris, TX", "Paris, Texas, USA"),
        ("Portland OR", "Portland, Oregon, USA"),
        ("Portland, Ore.", "Portland, Oregon, USA"),
        ("Springfield Mass", "Springfield, Massachusetts, USA"),
        ("Perth, WA", "Perth, Western Australia, Australia"),
        ("Newcastle, NSW", "Newcastle, New South Wales, Australia"),
        ("St. John's, NL", "St. John's, Newfoundland and Labrador, Canada"),
        ("Washington, D.C.", "Washington, District of Columbia, USA"),
        ("New York", "New York City, New York, USA"),
        ("Saint Petersburg, FL", "St. Petersburg, Florida, USA"),
        ("Singapore", "Singapore"),
        ("Hong Kong", "Hong Kong"),
        ("Luxembourg", "Luxembourg"),
        ("Macao", "Macau"),
        ("Djibouti, Djibouti", "Djibouti"),
        ("Sevastopol, Ukraine", "Sevastopol, Crimea, Russia (disputed)"),
        ("Simferopol, Crimea", "Simferopol, Crimea, Russia (disputed)"),
        ("東京", "Tokyo, Japan"),
        ("Москва", "Moscow, Russia"),
        ("Cork", "Cork, Ireland"),
        ("Taipei", "Taipei, Taiwan"),
        ("Mexico, Philippines", "Mexico, Philippines"),
        ("Isle of Wight, Virginia", "Isle of Wight, Virginia, USA"),
    ],
)
def test_what_a_name_means(text: str, name: str) -> None:
    said: list[str] = []
    assert one_place(text, say=said.append).name == name
    assert not said


@pytest.mark.parametrize(
    ("text", "name"),
    [("London", "London, England, UK"), ("Paris", "Paris, Île-de-France, France"), ("Naples", "Naples, Campania, Italy")],
)
def test_a_city_far_larger_than_its_namesakes_is_taken_and_said(text: str, name: str) -> None:
    said: list[str] = []
    assert one_place(text, say=said.append).name == name
    assert len(said) == 1 and name in said[0] and "for another write" in said[0]
    assert [c.name for c in find_places(text)] == [name]


@pytest.mark.parametrize("text", ["Portland", "Birmingham", "Cambridge", "Valencia", "Springfield", "48°12'N 16°22'O"])
def test_what_may_mean_several_is_asked(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(find_places(text)) > 1
    assert cli.main(["locate", "clip.mp4", "--claim", text]) == 2
    said = capsys.readouterr().err
    assert "may be any of these: (1) " in said and "(2) " in said


def test_the_command_line_refuses_a_country(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["locate", "clip.mp4", "--claim", "UK"]) == 2
    said = capsys.readouterr().err
    assert "the UK" in said and "London" in said and "Traceback" not in said
