"""Names on signs: every form and every rule, each with a sign that it is there for."""

from __future__ import annotations

import pytest

from engine.clues.text import forms, names, rules
from engine.clues.text.fold import words
from engine.clues.text.rules import Question
from engine.clues.text.span import Sign, Span, spans
from engine.clues.text.unspaced import parted

GERMAN, POLISH = {"de": 0.9}, {"pl": 0.9}


def sign(*lines: str, chances: dict[str, float] | None = None, score: float = 1.0) -> Sign:
    pieces = [[p for w in words(line) for p in parted(w)] for line in lines]
    return Sign.of(pieces, (score,) * len(lines), chances or {})


def span(of: Sign, text: str) -> Span:
    return next(s for s in spans(of) if s.text == text)


def hit(of: Sign, text: str, kind: str = "place") -> names.Hit:
    """The surest hit of this text."""
    return max((h for h in names.hits(span(of, text)) if h.reading.kind == kind), key=lambda h: h.strength)


SIGNS: dict[object, tuple[Sign, str, str]] = {
    rules.is_introduced_and_long: (sign("Stadt Essen", chances=GERMAN), "Essen", "place"),
    rules.is_introduced: (sign("Stadt Hof", chances=GERMAN), "Hof", "place"),
    rules.is_capital: (sign("Ljubljana", chances={"sl": 0.95}), "Ljubljana", "place"),
    rules.is_country: (sign("Germany"), "Germany", "area"),
    rules.is_titled_region: (sign("Welcome to Vermont"), "Vermont", "area"),
    rules.is_region: (sign("Vermont"), "Vermont", "area"),
    rules.is_in_street: (sign("Rue de Paris 12"), "Paris", "place"),
    rules.has_several_words: (sign("Golf at San Francisco"), "San Francisco", "place"),
    rules.is_whole_line: (sign("Iserlohn", "Hunde"), "Iserlohn", "place"),
    rules.is_any: (sign("Museum Iserlohn"), "Iserlohn", "place"),
    rules.is_german_noun: (sign("Hunde an der Leine", chances=GERMAN), "Leine", "place"),
    rules.is_in_other_script: (sign("МОСКВА"), "МОСКВА", "place"),
    rules.is_over_two_lines: (sign("San", "Francisco"), "San Francisco", "place"),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda r: f"{r.question.name}-{r.holds.__name__}")
def test_every_rule_answers_on_its_sign(rule: rules.Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    given, text, kind = SIGNS[rule.holds]
    found = hit(given, text, kind)
    assert rule.reason in found.reasons
    without = tuple(r for r in rules.RULES if r is not rule)
    monkeypatch.setattr(rules, "RULES", without)
    assert hit(given, text, kind).reading.chance != found.reading.chance  # the row is what makes the difference


def test_a_title_counts_for_more_than_a_line_of_its_own_and_that_for_more_than_a_street() -> None:
    titled, alone, street = (
        hit(sign(line), "Iserlohn").reading.chance for line in ("Stadt Iserlohn", "Iserlohn", "Rue de Iserlohn")
    )
    assert titled / alone == pytest.approx(0.96 / 0.65, rel=0.05) and alone / street == pytest.approx(0.65 / 0.3)


FORMS: dict[object, tuple[Sign, str, str]] = {
    forms.as_written: (sign("Warszawa"), "Warszawa", "Warsaw"),
    forms.without_ending: (sign("Stockholms stad"), "Stockholms", "Stockholm"),
    forms.german_adjective: (sign("Frankfurter Allee", chances=GERMAN), "Frankfurter", "Frankfurt"),
    forms.german_adjective_of_n: (sign("Göttinger Allee", chances=GERMAN), "Göttinger", "Göttingen"),
    forms.other_case: (sign("Warszawy", chances=POLISH), "Warszawy", "Warsaw"),
    forms.misread_beside_title: (sign("Stadt Kolh", chances=GERMAN), "Kolh", "Köln"),
    forms.misread: (sign("Barcelonaa"), "Barcelonaa", "Barcelona"),
    forms.usual_confusion: (sign("Barceiona"), "Barceiona", "Barcelona"),
}


@pytest.mark.parametrize("form", forms.FORMS, ids=lambda f: f.find.__name__)
def test_every_form_is_found_in_its_place(form: forms.Form) -> None:
    given, text, place = FORMS[form.find]
    found = [places for _, places in form.find(span(given, text)) if places]
    assert any(place in c.name for places in found for c in places)
    before, _, after = form.note.partition("{}")
    notes = [h.reading.note for h in names.hits(span(given, text)) if h.reading.kind == "place"]
    assert any(n.startswith(f"reads as {before}") and place in n and n.endswith(after) for n in notes)


@pytest.mark.parametrize("find", [forms.german_adjective, forms.german_adjective_of_n, forms.other_case])
def test_a_form_of_a_language_is_not_looked_for_in_another(find: object) -> None:
    given, text, _ = FORMS[find]
    other = Sign(given.tokens, given.sizes, given.scores, {"en": 1.0})
    assert list(find(span(other, text))) == []  # type: ignore[operator]


def test_every_question_has_a_rule_and_the_first_that_holds_counts() -> None:
    assert {r.question for r in rules.RULES} == set(Question)
    given = rules.Named(span(sign("Paris"), "Paris"), "paris")
    assert rules.answers(given)[Question.HERE].holds is rules.is_whole_line


def test_the_recognisers_doubt_lowers_the_chance_by_its_square() -> None:
    sure, doubtful = (hit(sign("Iserlohn", score=s), "Iserlohn").reading.chance for s in (1.0, 0.8))
    assert doubtful / sure == pytest.approx(0.64)


def test_words_in_two_names_count_for_one() -> None:
    found = names.read(sign("San Francisco"))
    assert [r.text for r in found] == ["San Francisco"]
