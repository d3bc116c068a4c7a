"""The command line: what it accepts, what it writes, how it ends."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
import made

from engine import cli
from engine.cli import edit_options, locate, output
from engine.cli.app import command
from engine.cli.commands import COMMANDS
from engine.cli.edit_options import PlannedEdits
from engine.core.clip import Interval
from engine.core.errors import Cancelled, InputError, MediaError, SettingError
from engine.core.progress import Progress
from engine.core.settings import Settings

PERCEIVED = made.finding().perception


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"not really a film")
    return path


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The analysis replaced by a finding made by hand; gives the settings it was called with."""
    calls: list[Settings] = []

    def examine(
        path: str, settings: Settings, reports: list[locate.Report], progress: object, hand: PlannedEdits, *_: object
    ) -> tuple[object, list[str]]:
        calls.append(hand.apply(PERCEIVED, settings))
        finding = made.finding(text=made.HOSTILE, path=path)
        return finding, [r.render(finding, None, None, None) for r in reports if r.option not in ("html", "pdf", "bundle")]  # type: ignore[arg-type]

    monkeypatch.setattr(locate, "_examine", examine)
    return calls


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "engine.cli", *map(str, words)], capture_output=True, text=True, check=False)


def test_help_loads_nothing_heavy() -> None:
    heavy = "[m for m in ('torch', 'numpy', 'scipy', 'av') if m in sys.modules]"
    code = f"import sys, engine.cli; engine.cli.main(['--help']); print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "locate" in done.stdout and "Exit codes" in done.stdout


@pytest.mark.parametrize("command", [c.name for c in COMMANDS if not c.commands and c.module.startswith("cli.")])
def test_help_of_a_command_loads_no_model_and_no_map(command: str) -> None:
    heavy = "[m for m in ('torch', 'scipy', 'h3', 'pandas', 'av', 'cattrs', 'sqlalchemy') if m in sys.modules]"
    code = f"import sys, engine.cli; engine.cli.main([{command!r}, '--help']); print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]"
    assert f"earwitness {command}" in done.stdout


def test_version_and_no_words() -> None:
    assert run("--version").stdout == "earwitness 0.1.0\n"
    assert run().returncode == 2


@pytest.mark.parametrize(
    "words, says",
    [
        (["nonsense"], "nonsense"),
        (["locate"], "CLIP"),
        (["locate", "c.mp4", "--unknown"], "--unknown"),
        (["locate", "c.mp4", "--dat", "2024-01-01"], "--dat"),
        (["locate", "c.mp4", "--date", "17.5.2024"], "2024-05-17"),
        (["locate", "c.mp4", "--date", "2024-02-30"], "2024-05-17"),
        (["locate", "c.mp4", "--interval", "5"], "1:05-2:00"),
        (["locate", "c.mp4", "--interval", "9-3"], "later end"),
        (["locate", "c.mp4", "--prior", "moon"], "mixture"),
        (["locate", "c.mp4", "--radius", "0"], "1 to 5,000 km"),
        (["locate", "c.mp4", "--stride", "nan"], "0.1 to 60 s"),
        (["locate", "c.mp4", "--drop", "Great Tiit"], "Great Tit"),
        (["locate", "c.mp4", "--add", "bird:Great Tit"], "species:Parus major@0:03-0:06=0.9"),
        (["locate", "c.mp4", "--add", "species:Great Tit@5=7"], "at most 1"),
        (["locate", "c.mp4", "--relabel", "Great Tit"], "=>"),
        (["locate", "c.mp4", "--weight", "text=3"], "0 to 2"),
        (["locate", "c.mp4", "--weight", "moon=1"], "species"),
        (["locate", "c.mp4", "--include", "moon"], "container"),
        (["locate", "c.mp4", "--leave-out", "moon"], "species"),
        (["locate", "c.mp4", "--detections", "none.txt"], "check its path"),
        (["locate", "c.mp4", "--detections-only"], "--detections"),
        (["locate", "c.mp4", "--cue", "roof red"], "roof-red-tile@0:12=0.9"),
        (["locate", "c.mp4", "--cue", "roof-of-gold"], "no cue called 'roof-of-gold'"),
        (["locate", "c.mp4", "--cue", "roof-red-tile=2"], "at most 1"),
        (["locate", "c.mp4", "--cue", "place"], "read by a clue of its own"),
        (["cues", "zeppelin"], "No cue has the word 'zeppelin'"),
        (["bench", "photos", "--held-out"], "--cues"),
        (["locate", "c.mp4", "--sun", "foot=1,2"], "'t' is missing"),
        (["locate", "c.mp4", "--sun", "t=1;foot=1,2;top=3,4;tip=here"], "pixels or percent"),
        (["locate", "c.mp4", "--sun", "t=1;foot=1,2;top=3,4;tip=5,6;moon=1"], "not known"),
        (["locate", "c.mp4", "--sun", "t=1;foot=1,2;top=3,4;tip=5,6;when=noon"], "2024-06-01T10:00/11:00Z"),
        (["locate", "c.mp4", "--sun", "t=1;foot=1,2;top=3,4;tip=5,6;heading=north"], "145±10"),
        (["locate", "c.mp4", "--claim", "Oslo", "--claim-time", "22:40"], "--claim-date"),
        (["locate", "c.mp4", "--claim-time", "25:00"], "22:40"),
        (["locate", "no-such-file.mp4"], "There is no file no-such-file.mp4"),
        (["locate", "/dev/null"], "not a file"),
        (["locate", "\x1b]0;evil\x07.mp4"], "There is no file"),
        (["bench"], "COMMAND"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(capfd: pytest.CaptureFixture[str], words: list[str], says: str) -> None:
    assert cli.main(words) == 2
    out, err = capfd.readouterr()
    assert out == "" and says in err
    assert len(err.strip().splitlines()) == 1 and "Traceback" not in err and "\x1b" not in err


def test_every_setting_has_an_option_or_a_reason_not_to(clip: Path, examined: list[Settings], capsys: object) -> None:
    """The defaults are Settings' own, and a new setting cannot be forgotten here."""
    assert cli.main(["locate", str(clip), "--quiet"]) == 0
    assert examined == [Settings()]
    fixed = {"seed"}  # nothing is sampled in judging a clip
    options = {
        "prior",
        "when",
        "track",
        "programme",
        "interval",
        "stride_s",
        "radius_km",
        "same_place_km",
        "claim",
        "quick",
        "still",
    }
    by_edits = {"dropped", "added", "left_out", "included", "weights", "edits"}
    assert options | by_edits | fixed == set(Settings.__dataclass_fields__)


def test_options_become_settings(clip: Path, examined: list[Settings]) -> None:
    words = "--date 2024-05-17 --prior land --track 2 --interval 1:05-2:00.5 --radius 50 --stride 1 --same-place 25 --quick"
    assert (
        cli.main(["locate", str(clip), *words.split(), "--drop", "great  TIT", "--drop", "Cuculus canorus", "--drop", "dog"]) == 0
    )
    keys = {"species/species/Parus major", "species/species/Cuculus canorus", "species/sound/Dog"}
    found = examined[0]
    plain = found.but(edits=(), dropped=frozenset())
    assert plain == Settings("land", date(2024, 5, 17), 2, Interval(65, 120.5), 1.0, 50.0, 25.0, quick=True)
    assert found.dropped == keys and {e.target for e in found.edits} == keys


def test_the_hand_has_its_options(clip: Path, examined: list[Settings], tmp_path: Path) -> None:
    table = tmp_path / "t.txt"
    table.write_text("0.0\t3.0\tTurdus merula_Eurasian Blackbird\t0.8123\n", encoding="utf-8")
    words = ["--author", "Ann", "--drop", "Common Cuckoo", "--add", "species:Parus ater@0:03-0:06=0.9", "--add"]
    words += ["sign:AUGUSTA GA@8", "--confirm", "Great Tit=0.9", "--relabel", "Cuculus canorus=>Great Tit=0.6", "--weight"]
    words += ["text=0.5", "--include", "container", "--leave-out", "species", "--detections", str(table), "--detections-only"]
    words[words.index("species:Parus ater@0:03-0:06=0.9")] = "species:Periparus ater@0:03-0:06=0.9"
    assert cli.main(["locate", str(clip), "--quiet", *words]) == 0
    s = examined[0]
    assert [e.what for e in s.edits] == ["import", "include", "leave out", "weight", "drop", "relabel", "confirm", "add", "add"]
    assert {e.author for e in s.edits} == {"Ann"} and all(e.created for e in s.edits)
    assert s.weights == (("text", 0.5),) and "container" in s.included and s.left_out == {"species", "birdnet-v2.4"}
    by_label = {o.label: o for o in s.added}
    assert (by_label["Periparus ater"].start_s, by_label["Periparus ater"].end_s, by_label["Periparus ater"].score) == (3, 6, 0.9)
    assert by_label["AUGUSTA GA"].start_s == 8 and by_label["Turdus merula"].author == "table:t.txt"


def test_what_was_not_perceived_cannot_be_confirmed(
    clip: Path, examined: list[Settings], capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["locate", str(clip), "--quiet", "--confirm", "Coal Tit"]) == 2
    assert "use --add instead" in capfd.readouterr().err


@pytest.mark.parametrize(
    "text, start_s, end_s", [("12-34.5", 12, 34.5), ("0-1:00", 0, 60), ("90:00–1:31:00", 5400, 5460), ("1..2", 1, 2)]
)
def test_intervals(text: str, start_s: float, end_s: float) -> None:
    assert locate._interval(text) == Interval(start_s, end_s)


@pytest.mark.parametrize("text", ["", "-", "1:75-2:00", "a-b", "1-2-3", "-5-3", "1e3-2e3", "inf-nan"])
def test_no_intervals(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        locate._interval(text)


def test_the_terminal_shows_the_result_and_no_escape(
    clip: Path, examined: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["locate", str(clip)]) == 0
    out, err = capsys.readouterr()
    assert err == "", "no bar and no note where nobody looks"
    assert "\x1b" not in out and "\u202e" not in out
    for part in (
        "Sound: ",
        "50% region",
        "Great Tit (Parus major)",
        "0.99",
        "0:00–0:04.5",
        "cannot tell",
        "BirdNET v2.4",
        "non-commercial",
    ):
        assert part in out


def test_reports_are_written_whole(clip: Path, examined: list[Settings], capsys: pytest.CaptureFixture[str]) -> None:
    names = {kind: clip.parent / f"f.{kind}" for kind in ("json", "geojson", "kml")}
    assert cli.main(["locate", str(clip), *[w for k, p in names.items() for w in (f"--{k}", str(p))]]) == 0
    assert json.loads(names["json"].read_text())["schema"] == "earwitness.finding/1"
    assert json.loads(names["geojson"].read_text())["type"] == "FeatureCollection"
    assert names["kml"].read_text().startswith("<?xml")
    assert sorted(p.name for p in clip.parent.iterdir()) == ["clip.mp4", "f.geojson", "f.json", "f.kml"]
    assert "wrote" in capsys.readouterr().err
    umask = os.umask(0)
    os.umask(umask)
    assert names["json"].stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_dash_writes_to_stdout_alone(clip: Path, examined: list[Settings], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["locate", str(clip), "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["clip"]["name"] == "clip.mp4" and "Great Tit" in err


def test_outputs_are_refused_before_the_work(clip: Path, examined: list[Settings], capsys: pytest.CaptureFixture[str]) -> None:
    link, hard = clip.parent / "link.json", clip.parent / "hard.json"
    link.symlink_to(clip)
    hard.hardlink_to(clip)
    folder = clip.parent / "folder"
    folder.mkdir()
    for target in (clip, link, hard, folder, clip.parent / "none" / "f.json", "", f"{clip.parent}/folder/../clip.mp4"):
        assert cli.main(["locate", str(clip), "--json", str(target)]) == 2, target
    assert cli.main(["locate", str(clip), "--json", "same", "--html", "./same"]) == 2
    assert cli.main(["locate", str(clip), "--json", "-", "--kml", "-"]) == 2
    assert examined == [] and clip.read_bytes() == b"not really a film"
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_protected_folder_is_refused(clip: Path) -> None:
    clip.parent.chmod(0o500)
    try:
        with pytest.raises(InputError):
            output.check([output.Target("--json", str(clip.parent / "f.json"))], str(clip))
    finally:
        clip.parent.chmod(0o700)


def test_an_interrupted_write_leaves_the_old_file(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = clip.parent / "f.json"
    old.write_text("old")

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        output.write(output.Target("--json", str(old)), "new")
    assert old.read_text() == "old" and sorted(p.name for p in clip.parent.iterdir()) == ["clip.mp4", "f.json"]


@pytest.mark.parametrize(
    "error, code, says",
    [
        (KeyboardInterrupt(), 1, "Stopped; nothing was written"),
        (Cancelled("Stopped."), 1, "Stopped."),
        (MediaError("This is no film; give another."), 2, "This is no film"),
        (ZeroDivisionError("\x1b[2J"), 1, "ZeroDivisionError"),
    ],
)
def test_failures_end_in_words(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: BaseException, code: int, says: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(locate, "_examine", fail)
    target = clip.parent / "f.json"
    assert cli.main(["locate", str(clip), "--json", str(target)]) == code
    err = capfd.readouterr().err
    assert says in err and "Traceback" not in err and "\x1b" not in err and not target.exists()
    assert cli.main(["locate", str(clip), "--debug"]) == code
    assert "Traceback" in capfd.readouterr().err


def test_ctrl_c_stops_a_running_analysis(clip: Path) -> None:
    """A real interrupt in a process of its own, while it works: exit code 1, nothing left behind."""
    code = (
        "import signal, sys, time\n"
        # a test run in the background is started with interrupts ignored, and Python then leaves them so
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from engine import cli\n"
        "from engine.cli import locate\n"
        "def work(*_):\n"
        "    print('working', flush=True)\n"
        "    time.sleep(30)\n"
        "locate._examine = work\n"
        f"sys.exit(cli.main(['locate', {str(clip)!r}, '--json', {str(clip.parent / 'f.json')!r}]))\n"
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout and process.stdout.readline() == "working\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 1 and "Stopped" in err and "Traceback" not in err
    assert [p.name for p in clip.parent.iterdir()] == ["clip.mp4"]


def test_a_reader_that_goes_away_is_no_failure_in_words() -> None:
    done = subprocess.run(
        f"{sys.executable} -m engine.cli --help | head -1", shell=True, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


def test_a_bar_is_drawn_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    from engine.cli.bar import bar

    with bar() as progress:
        progress(Progress("listening", 1.0, 2.0, "s"))
    assert capfd.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with bar() as progress:
        for stage, done in (("hashing", 3.0), ("listening [bold]", 1.0), ("drawing", 0.0)):
            progress(Progress(stage, done, 4.0 if done else None, "s" if done else ""))
    assert "listening [bold]" in capfd.readouterr().err
    with bar(quiet=True) as progress:
        progress(Progress("listening"))
    assert capfd.readouterr().err == ""


def test_a_stage_of_one_task_leaves_those_of_another_running(monkeypatch: pytest.MonkeyPatch) -> None:
    import rich.progress

    from engine.cli.bar import bar

    ended: list[str] = []

    class Drawn(rich.progress.Progress):
        def update(self, task_id: rich.progress.TaskID, **fields: Any) -> None:
            super().update(task_id, **fields)
            if fields.get("completed") == fields.get("total"):
                ended.append(self.tasks[self.task_ids.index(task_id)].description)

    monkeypatch.setattr(rich.progress, "Progress", Drawn)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with bar() as progress:
        for stage, task in (("hearing", "sound"), ("seeing", "picture"), ("reading", "picture"), ("judging", "")):
            progress(Progress(stage, 0.0, 2.0, "s", task))
    assert ended == ["seeing", "hearing", "reading"]


def test_every_command_listed_can_be_loaded() -> None:
    flat = [c for top in COMMANDS for c in (top.commands or (top,))]
    assert any(c.name == "locate" for c in flat)
    for c in flat:
        if c.present:
            module = c.load()
            module.add_arguments(argparse.ArgumentParser())
            assert callable(module.run), c.name


def test_the_app_is_for_this_machine_only(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clip.parent)
    words = command(argparse.Namespace(clip="clip.mp4", port=8765, no_browser=True))
    assert "--server.address=127.0.0.1" in words and "--browser.gatherUsageStats=false" in words
    assert "--server.port=8765" in words and words[-2:] == ["--", str(clip)]
    for port, name in ((80, None), (70000, None), (None, "none.mp4")):
        with pytest.raises(InputError):
            command(argparse.Namespace(clip=name, port=port, no_browser=True))


def test_names_of_species_are_found_in_both_languages() -> None:
    assert edit_options.key_of("Gryllus assimilis") == "species/species/Gryllus assimilis"
    assert edit_options.key_of("text/text/AUGUSTA") == "text/text/AUGUSTA"
    with pytest.raises(SettingError, match="use its English or Latin name"):
        edit_options.key_of("zzzzqqqq")


# --- each document by itself -----------------------------------------------------------------------------------------------


@pytest.fixture
def made_whole(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The analysis replaced likewise, with every document tried as it is in a real run."""
    calls: list[Settings] = []

    def examine(
        path: str, settings: Settings, reports: list[locate.Report], progress: object, hand: PlannedEdits, *_: object
    ) -> tuple[object, list[object]]:
        calls.append(settings)
        finding = made.finding(path=path)
        return finding, [output.tried(f"--{r.option}", lambda r=r: r.render(finding, None, None, None)) for r in reports]  # type: ignore[arg-type, misc]

    monkeypatch.setattr(locate, "_examine", examine)
    return calls


@pytest.mark.parametrize(
    "error, code, says",
    [
        (InputError("The tiers are too many; ask for fewer."), 2, "--elan: The tiers are too many; ask for fewer."),
        (KeyError("\x1b[2Jx"), 1, "something went wrong inside Earwitness (KeyError"),
        (MemoryError(), 1, "the memory ran out"),
    ],
)
def test_a_document_that_fails_takes_no_other_with_it(
    clip: Path, made_whole: list[Settings], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    error: Exception, code: int, says: str,
) -> None:  # fmt: skip
    from engine import report

    def fail(_: object) -> str:
        raise error

    monkeypatch.setattr(report, "to_elan", fail)
    names = {kind: clip.parent / f"f.{kind}" for kind in ("json", "elan", "raven", "kml")}
    names["elan"].write_text("the old one")
    assert cli.main(["locate", str(clip), "--quiet", *[w for k, p in names.items() for w in (f"--{k}", str(p))]]) == code
    out, err = capfd.readouterr()
    assert out == "" and says in err and len(err.splitlines()) == 1 and "\x1b" not in err
    assert names["elan"].read_text() == "the old one", "the old file stays where there is no new one"
    assert json.loads(names["json"].read_text())["schema"] and names["kml"].is_file() and names["raven"].is_file()


def test_a_document_that_cannot_be_written_takes_no_other_with_it(
    clip: Path, made_whole: list[Settings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = output.write

    def full(target: output.Target, content: str | bytes) -> None:
        if target.option == "--json":
            raise InputError(f"{target.option}: {target.path} cannot be written (no space left on device); choose another place.")
        whole(target, content)

    monkeypatch.setattr(output, "write", full)
    kml = clip.parent / "f.kml"
    assert cli.main(["locate", str(clip), "--json", str(clip.parent / "f.json"), "--kml", str(kml)]) == 2
    err = capsys.readouterr().err
    assert "not written: --json: " in err and "no space left" in err and f"wrote {kml}" in err
    assert kml.is_file() and sorted(p.suffix for p in clip.parent.iterdir()) == [".kml", ".mp4"]


def test_a_bundle_is_made_without_what_fails_and_says_so(
    clip: Path, made_whole: list[Settings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import zipfile

    from engine.case.record.bundle import read_bundle
    from engine.report.formats import pdf

    monkeypatch.setattr(pdf, "_set", lambda *_: (_ for _ in ()).throw(RuntimeError("error: no glyph")))
    target = clip.parent / "b.zip"
    assert cli.main(["locate", str(clip), "--bundle", str(target)]) == 0
    assert "the bundle lacks report.pdf" in capsys.readouterr().err
    assert not read_bundle(target).faults and "report.pdf" not in read_bundle(target).documents
    with zipfile.ZipFile(target) as archive:
        assert "report.pdf: The PDF cannot be set" in archive.read("readme.txt").decode()


def test_places_that_hold_no_document_are_refused_before_the_work(
    clip: Path, made_whole: list[Settings], capfd: pytest.CaptureFixture[str]
) -> None:
    table, hard = clip.parent / "t.txt", clip.parent / "hard"
    table.write_text("0.0\t3.0\tTurdus merula_Eurasian Blackbird\t0.8123\n", encoding="utf-8")
    (clip.parent / "file").write_text("")
    hard.hardlink_to(clip.parent / "file")
    for words in (
        ["--json", "x" * 300], ["--json", f"{clip.parent}/{'y' * 5000}/f.json"], ["--json", "/dev/full"], ["--json", "/dev/zero"],
        ["--json", str(clip / "below.json")], ["--json", str(clip.parent / "file"), "--html", str(hard)],
        ["--csv", str(table), "--detections", str(table)], ["--json", "-", "--kml", "/dev/stdout"], ["--reel", str(clip)],
        ["--reel", str(clip.parent)], ["--json", "a\0b"], ["--reel", "/dev/null"],
    ):  # fmt: skip
        assert cli.main(["locate", str(clip), *words]) == 2, words
        out, err = capfd.readouterr()
        assert out == "" and len(err.strip().splitlines()) == 1 and "inside" not in err, (words, err)
    assert made_whole == [] and table.read_text().startswith("0.0") and clip.read_bytes() == b"not really a film"


def test_a_full_device_and_a_pipe_nobody_reads_end_in_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    output.check([output.Target("--json", str(tmp_path / "pipe")), output.Target("--kml", os.devnull)], "clip.mp4")
    with pytest.raises(InputError, match="no file but a device or a pipe"):
        output.check([output.Target("--reel", str(tmp_path / "pipe"), file_only=True)], "clip.mp4")
    for place in (tmp_path / "pipe", "/dev/full"):
        with pytest.raises(InputError, match="cannot be written"):
            output.write(output.Target("--json", str(place)), "{}")


def test_a_folder_for_tables_is_tried_before_the_work(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for folder in (clip / "below", "/dev/full/x", "y" * 300):
        assert cli.main(["batch", str(clip), "-o", str(clip.parent / "case"), "--tables", str(folder)]) == 2
        err = capfd.readouterr().err
        assert "--tables: " in err and len(err.strip().splitlines()) == 1 and not (clip.parent / "case").exists()


def test_what_some_documents_need_takes_no_other_with_it(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from engine import explained
    from engine.case.jobs.results import Results

    def fail(_: object) -> object:
        raise ZeroDivisionError("division by zero")

    finding = made.finding(path=str(clip))
    reader = type("Opened", (), {"verify_unchanged": lambda *_: None, "clip": finding.clip})()
    monkeypatch.setattr("engine.media.open_clip", lambda *_: contextlib.nullcontext(reader))
    monkeypatch.setattr(Results, "perceive", lambda *_: (PERCEIVED, Settings(), False))
    monkeypatch.setattr("engine.analysis.judge.judge_film", lambda *_: finding)
    monkeypatch.setattr(sys.modules[explained.__module__], "explained", fail)
    assert cli.main(["locate", str(clip), "--json", str(clip.parent / "f.json"), "--kml", str(clip.parent / "f.kml")]) == 1
    err = capfd.readouterr().err
    assert (
        "not written: --json: Computing the effect of each piece of evidence: something went wrong inside Earwitness (Zero" in err
    )
    assert (clip.parent / "f.kml").is_file() and not (clip.parent / "f.json").exists() and "f.kml" in err
