"""Learn: guess where a sound or a picture comes from, then see what the program heard and how far both were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

import engine
from app.components.guess.component import PIN, PIN_DARK, TRUTH, TRUTH_DARK, guess_map, way
from app.figures.layers import modality_rgb
from app.figures.outline import edge_paths
from app.panels.style import clean, dark, plain, tip
from app.session import caches, game, opening, widgets
from engine import Finding, Located
from engine.analysis import lesson
from engine.report.view import words

_FILMS = {".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts"}
_FLAT = "Points: 1,000 at the very place, 370 at 1,500 km; each hint costs 15%."


def page() -> None:
    """Draw the page."""
    caches.warm_up()
    g = game.game()
    if not g.lessons:
        st.title("Where on Earth is this?", anchor=False)
        st.error(plain(g.error, 500))
        return
    game.look(g)
    score = game.settle(g)
    _head(g)
    left, right = st.columns([0.36, 0.64], gap="medium")
    with right:
        _map(g, score)
    with left:
        _clip(g)
        if g.done:
            _answer(g, score)
        else:
            _ask(g)
    _board(g)


def _head(g: game.Game) -> None:
    a, b = st.columns([5, 1.2], vertical_alignment="center")
    n = len(g.lessons)
    a.html(
        f"<span class='ew-title' style='font-size:1.25rem;font-weight:700'>Where on Earth is this?</span> "
        f"<span class='ew-dim'>Clip {g.at + 1} of {n}. Listen or look, set your pin, then compare with the program.</span>"
    )
    with b.popover("Clips", icon=":material/folder_open:", width="stretch"):
        st.caption("These clips were made for this page: bird songs synthesised from descriptions, and drawn signs.")
        with st.form("own", border=False):
            path = st.text_input(
                "A folder of your own",
                placeholder="/home/me/lesson",
                help="Clips, and beside them places.csv with columns file, lat_deg, lon_deg, place; hints and about if you like.",
            )
            if st.form_submit_button("Play these", width="stretch") and path.strip():
                game.begin(g, Path(path.strip().strip("'\"")).expanduser())
                if not g.error:
                    st.rerun()
        if g.folder is not None:
            st.button("Back to the program's own", **widgets.callback(game.begin, g, None))
    if g.error:
        st.error(plain(g.error, 500))


def _clip(g: game.Game) -> None:
    """The clip, under a name that gives nothing away."""
    path = g.lesson.path
    if path.suffix.lower() in _FILMS:
        st.video(path.read_bytes(), format="video/mp4")
    else:
        st.audio(path.read_bytes())


def _ask(g: game.Game) -> None:
    for hint in g.lesson.hints[: g.hints]:
        st.info(plain(hint, 320), icon=":material/lightbulb:")
    with st.container(horizontal=True, gap="small"):
        st.button("This is my guess", type="primary", key="guess-now", disabled=g.pin is None, icon=":material/push_pin:",
                  help="Or press Enter on the map", **widgets.callback(game.guess, g))  # fmt: skip
        left = len(g.lesson.hints) - g.hints
        st.button(f"Hint ({left})", key="hint", disabled=left == 0, icon=":material/lightbulb:", help=_FLAT,
                  **widgets.callback(_hint, g))  # fmt: skip
        st.button("Show me", key="give-up", help="The answer, without points", **widgets.callback(game.give_up, g))
        st.button("Skip", key="skip", help="Another one; this one can wait", **widgets.callback(game.onward, g))
    if g.pin is None:
        st.caption("Set a pin on the map: click, or use the arrow keys when the map has the focus.")
    else:
        st.caption(f"Your pin: {plain(engine.describe_place(*g.pin), 120)}.")


def _hint(g: game.Game) -> None:
    g.hints = min(g.hints + 1, len(g.lesson.hints))


# --- the map ------------------------------------------------------------------------------------------------------------


def _map(g: game.Game, score: game.Score | None) -> None:
    night = dark()
    marks, lines = _shown(g, night) if g.done else ([], [])
    guess_map(g.question, g.done, _answer_text(g, score) if g.done else "", marks, lines, night, _acted)


def _acted(what: str, lat_deg: float, lon_deg: float) -> None:
    g = game.game()
    game.pin(g, lat_deg, lon_deg)
    if what == "guess":
        game.guess(g)


def _shown(g: game.Game, night: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Marks and lines of the answer: the truth, the guess, the program's place and half of its posterior."""
    truth = (g.lesson.lat_deg, g.lesson.lon_deg)
    green, pink = (TRUTH_DARK, PIN_DARK) if night else (TRUTH, PIN)
    marks = [_mark(truth, "star", green, g.lesson.place)]
    lines: list[dict[str, Any]] = []
    found = game.program(g)
    placed = lesson.answer(found) if found else None
    if placed is not None and placed.place is not None:
        colour = "rgb({}, {}, {})".format(*modality_rgb(placed.modality, night))
        lines += _region(placed, colour)
        there = (placed.place.lat_deg, placed.place.lon_deg)
        lines += way(there, truth, colour, dashed=True)
        marks.append(_mark(there, "round", colour, "the program"))
    if g.pin is not None:
        lines += way(g.pin, truth, pink)
        marks.append(_mark(g.pin, "pin", pink, "you"))
    return marks, lines


def _mark(at: tuple[float, float], shape: str, colour: str, label: str) -> dict[str, Any]:
    return {"lat": at[0], "lon": at[1], "shape": shape, "colour": colour, "label": label[:60]}


def _region(placed: Located, colour: str) -> list[dict[str, Any]]:
    """The edge of the area that contains half of the posterior, on cells of one size."""
    cells, log_mass = placed.posterior.at_resolution()
    whole = engine.Posterior(engine.Grid(cells), log_mass)
    runs = edge_paths(whole.grid, whole.region(0.5))
    return [{"points": [[p[1], p[0]] for p in run], "colour": colour, "wide": 1.0} for run in runs]


def _answer_text(g: game.Game, score: game.Score | None) -> str:
    said = f"The answer: {g.lesson.place}."
    if score is None:
        return said
    if score.km is not None:
        said += f" Your pin was {words.km(score.km)} away."
    if score.program_km is not None:
        said += f" The program's place was {words.km(score.program_km)} away."
    return said


# --- the answer -----------------------------------------------------------------------------------------------------------


def _answer(g: game.Game, score: game.Score | None) -> None:
    st.html(
        f"<div class='ew-banner' style='border-left-color:{TRUTH}'>"
        f"<div class='ew-title'>{clean(g.lesson.place, 100)}</div><span class='ew-dim'>{clean(g.lesson.about, 300)}</span></div>"
    )
    if score is None:
        _waiting(g)
        return
    yours = "no guess" if score.km is None else words.km(score.km)
    theirs = "cannot tell" if score.program_km is None else words.km(score.program_km)
    st.html(
        f"<div style='display:flex;gap:1.6rem;flex-wrap:wrap'>{_figure('You', yours)}{_figure('The program', theirs)}"
        f"{_figure('Points', f'{score.points:,}', _FLAT)}</div>"
    )
    found = game.program(g)
    if found is None:
        st.caption(plain(g.failed.get(g.lesson.path, ""), 300))
    else:
        _heard(g, found)
    with st.container(horizontal=True, gap="small"):
        st.button("Next", type="primary", key="next", icon=":material/arrow_forward:", **widgets.callback(game.onward, g))
        if st.button("Examine it", key="examine-it", help="Open this clip on the Examine page"):
            opening.examine(g.lesson.path, g.lesson.path.name)
            st.switch_page("pages/examine.py")


def _figure(name: str, value: str, about: str = "") -> str:
    label = tip(name, about) if about else clean(name)
    large = "font-size:1.35rem;font-weight:600"
    return f"<div><div class='ew-dim ew-edits'>{label}</div><div style='{large}'>{clean(value)}</div></div>"


@st.fragment(run_every=0.6)
def _waiting(g: game.Game) -> None:
    """The program still looks: its progress, and then the page again."""
    if g.work is None or not g.work.running:
        st.rerun(scope="app")
    progress = g.work.progress if g.work else None
    st.progress((progress.fraction or 0.0) if progress else 0.0, text=plain(f"The program: {progress.stage if progress else ''}"))


def _heard(g: game.Game, found: Finding) -> None:
    """What the program heard or read, in the words of its own argument."""
    argued = engine.rationale(found, stands_in="")
    rows = "".join(f"<li>{clean(s.text, 420)}</li>" for s in argued.sentences if s.modality != "container")
    ruled = "<ul class='ew-edits' style='margin:.2rem 0 0 1.1rem;padding:0'>"
    st.html(f"<div class='ew-h'>What the program made of it</div>{ruled}{rows}</ul>")
    here = _chances(g, found)
    if here:
        st.html(f"<div class='ew-edits'>{here}</div>")


def _chances(g: game.Game, found: Finding) -> str:
    """How likely the bird is at the pin and at the answer, by the range model."""
    heard = [o for o in found.perception.observations if o.kind == "species"]
    best = max(heard, key=lambda o: o.score, default=None)
    if best is None or best.score < 0.5:
        return ""
    try:
        grid, chance = caches.species_range(best.label, None)
    except engine.EarwitnessError:
        return ""
    spots = [("at the answer", (g.lesson.lat_deg, g.lesson.lon_deg))]
    if g.pin is not None:
        spots.insert(0, ("at your pin", g.pin))
    said = []
    for name, (lat, lon) in spots:
        at = int(grid.locate(np.array([lat]), np.array([lon]))[0])
        said.append(f"<b>{words.share(float(chance[at])) if at >= 0 else 'none (at sea)'}</b> {name}")
    model = tip("range model", "Chance that a checklist from there, at any time of the year, names the species")
    return f"{clean(best.name or best.label, 60)}, by BirdNET's {model}: {', '.join(said)}."


# --- the board ------------------------------------------------------------------------------------------------------------


def _board(g: game.Game) -> None:
    """Everything played so far, you beside the program."""
    if not g.scores:
        return
    played = [g.scores[i] for i in sorted(g.scores)]
    both = [s for s in played if s.km is not None and s.program_km is not None]
    nearer = sum(s.km < s.program_km for s in both if s.km is not None and s.program_km is not None)
    total = sum(s.points for s in played)
    said = f"{total:,} points from {len(played)} clip{'s' if len(played) > 1 else ''}"
    said += f"; nearer than the program in {nearer} of {len(both)}" if both else ""
    rows = "".join(
        f"<tr><td>{clean(s.title, 60)}</td><td class='ew-num'>{'–' if s.km is None else words.km(s.km)}</td>"
        f"<td class='ew-num'>{'–' if s.program_km is None else words.km(s.program_km)}</td><td class='ew-num'>{s.hints}</td>"
        f"<td class='ew-num'>{s.points:,}</td></tr>"
        for s in played
    )
    head = "<tr><td>place</td>" + "".join(f"<td class='ew-num'>{h}</td>" for h in ("you", "program", "hints", "points")) + "</tr>"
    title = f"<div class='ew-h'>game.Score board <span class='ew-dim'>{clean(said, 200)}</span></div>"
    a, b = st.columns([5, 1], vertical_alignment="top")
    a.html(f"{title}<table class='ew-stages'>{head}{rows}</table>")
    b.button("Play again", key="again", icon=":material/replay:", width="stretch", **widgets.callback(game.begin, g, g.folder))


page()
