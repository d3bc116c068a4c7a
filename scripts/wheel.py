"""Puts assets/ and examples/ into the wheel: beside the packages in a checkout, engine/assets and engine/examples once installed.

setuptools calls this (pyproject.toml, tool.setuptools.cmdclass). `engine.core.paths` finds either place.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from setuptools.command.build_py import build_py

FOLDERS = ("assets", "examples")
PACKAGE = "engine"


class WithAssets(build_py):
    """The packages, and with them what the program reads."""

    def run(self) -> None:
        """Copy packages and folders; an editable install leaves the folders where they are."""
        if not self.editable_mode:  # what an earlier build left, modules gone since among it, would be shipped too
            for name in {package.partition(".")[0] for package in self.packages}:
                shutil.rmtree(Path(self.build_lib) / name, ignore_errors=True)
        super().run()
        if not self.editable_mode:
            for source, target in self._shipped():
                self.mkpath(str(target.parent))
                self.copy_file(str(source), str(target), preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """What `run` writes."""
        own = [] if self.editable_mode else [str(target) for _, target in self._shipped()]
        return [*super().get_outputs(include_bytecode), *own]

    def get_output_mapping(self) -> dict[str, str]:
        """Written file -> where it comes from."""
        own = {} if self.editable_mode else {str(target): str(source) for source, target in self._shipped()}
        return {**super().get_output_mapping(), **own}

    def get_source_files(self) -> list[str]:
        """What a source distribution must hold besides the packages."""
        return [*super().get_source_files(), *(str(source) for source, _ in self._shipped()), "scripts/wheel.py"]

    def _shipped(self) -> Iterator[tuple[Path, Path]]:
        """(file in the checkout, its place in the build), without what an operating system or an editor leaves lying about."""
        for folder in FOLDERS:
            for source in sorted(Path(folder).rglob("*")):
                hidden = any(part.startswith((".", "__pycache__")) for part in source.parts)
                if source.is_file() and not hidden:
                    yield source, Path(self.build_lib) / PACKAGE / source
