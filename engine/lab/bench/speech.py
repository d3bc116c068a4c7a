"""`earwitness bench speech`: how often other sounds are taken for speech, by Silero VAD and by BirdNET's class for voices.

With --spoken: how often the language of real speech is told rightly, and at what cost.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np

from engine.clues.species.observe import windows_of
from engine.clues.speech.observe import runs, voice_detector
from engine.core.errors import DataError, SettingError
from engine.core.file import read_csv
from engine.core.paths import data_dir
from engine.lab.bench import spoken
from engine.lab.bench.hum import Share
from engine.lab.bench.metrics import to_json_text
from engine.media import open_clip
from engine.models import birdnet, voice

# People make these sounds: calling them a voice is no mistake, calling them speech may be; they are left out.
HUMAN = (
    "Applause",
    "Baby cry, infant cry",
    "Breathing",
    "Clapping",
    "Cough",
    "Drinking, sipping",
    "Hubbub, speech noise, speech babble",
    "Laughter",
    "Screaming",
    "Sneeze",
    "Snoring",
)
_SCORES = (0.5, 0.25, 0.1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `earwitness bench speech`."""
    parser.add_argument("--data", type=Path, default=None, help="folder with manifest.csv (default: EARWITNESS_DATA/sounds)")
    parser.add_argument("--most", type=int, default=0, help="so many clips, drawn with the seed (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--spoken", type=Path, metavar="FOLDER", help="folders of speech named by language: tell those instead (fetch_speech.py)"
    )
    parser.add_argument("--windows", type=int, default=6, help="windows of 30 s of each language (default: 6)")
    parser.add_argument("--whisper", type=Path, metavar="FOLDER", help="Whisper's folder (default: among the models)")
    parser.add_argument("--json", type=Path, default=None, help="write the same numbers to this file")


def run(args: argparse.Namespace) -> int:
    """Run `earwitness bench speech` and print its table."""
    return _told(args) if args.spoken else _false_alarms(args)


def _told(args: argparse.Namespace) -> int:
    if args.windows < 1:
        raise SettingError("--windows takes a number from 1 on.")
    told = spoken.measure(args.spoken, args.whisper, args.windows, args.seed)
    share = Share.make(told.right, told.windows)
    print(f"{'windows with the right language':<42} {share}")
    for said, named, chance in told.wrong:
        print(f"  {said} was taken for {named}, chance {chance:.2f}")
    print(f"{'language alone, one core':<42} {told.language_ms:g} ms per second of sound")
    print(f"{'language and words, one core':<42} {told.words_ms:g} ms per second of sound")
    if args.json:
        args.json.write_text(to_json_text({**asdict(told), "share": asdict(share), "seed": args.seed}))
    return 0


def _false_alarms(args: argparse.Namespace) -> int:
    folder = args.data or data_dir() / "sounds"
    chosen = _clips(folder)
    if args.most:
        drawn = np.random.default_rng(args.seed).permutation(len(chosen))[: args.most]
        chosen = [chosen[i] for i in sorted(drawn)]
    silero = 0
    human: dict[float, int] = dict.fromkeys(_SCORES, 0)
    listener = birdnet.Listener()
    vocal = birdnet.index_of("Human vocal")
    for path in chosen:
        with open_clip(path) as reader:
            pieces = list(voice_detector().scores(b.samples for b in reader.audio(voice.RATE_HZ)))
            windows = [w for _, w in windows_of(reader, birdnet.WINDOW_S)]
        silero += bool(pieces and runs(np.concatenate(pieces)))
        best = float(listener.scores(np.stack(windows))[:, vocal].max()) if windows else 0.0
        for score in _SCORES:
            human[score] += best >= score
    table = {"Silero VAD, at least half a second": Share.make(silero, len(chosen))}
    table |= {f"BirdNET's Human vocal, score {s:g}": Share.make(n, len(chosen)) for s, n in human.items()}
    for name, share in table.items():
        print(f"{name:<42} {share}")
    print("false alarms: clips of sounds that are not made by people, taken for speech; exact 95% intervals.")
    if args.json:
        args.json.write_text(to_json_text({**{k: asdict(v) for k, v in table.items()}, "seed": args.seed}))
    return 0


def _clips(folder: Path) -> list[Path]:
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        raise DataError(f"{manifest} is missing; give a folder with one (columns file, label), or set EARWITNESS_DATA.")
    rows = [r for r in read_csv(manifest, what="manifest") if r.get("file") and r.get("label")]
    inside = folder.resolve()
    return [folder / r["file"] for r in rows if r["label"] not in HUMAN and (folder / r["file"]).resolve().is_relative_to(inside)]
