"""Words to vectors in the space of GeoCLIP's location encoder, through CLIP's text side.

GeoCLIP's perceptron was trained on CLIP's vectors of pictures; CLIP puts words and pictures into one space, so the same
perceptron takes words. The model is the folder that the picture side uses; the tokens need one small file more, merges.txt: the
vocabulary follows from it. Nothing is fetched here.

Sources: Vivanco Cepeda et al. 2023, "GeoCLIP", section 4.4 (geo-localization by text); Radford et al. 2021, "CLIP" (byte pairs
lower-cased, 77 tokens, start and end marked).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import MissingWeights, SettingError, WeightsError
from engine.core.paths import models_dir
from engine.models import cards, catalog, checkpoint
from engine.models.geoclip_picture import CLIP_FOLDER, clip_folder, package_file
from engine.models.offline import go_offline

if TYPE_CHECKING:
    import torch

MODEL_ID = cards.CLIP_TEXT.id
TEXT_FOLDER = f"{CLIP_FOLDER}-text"
TOKENS = 77
START, END = "<|startoftext|>", "<|endoftext|>"
LONGEST = 400  # characters; 77 tokens hold fewer
_SPLIT = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def merges_path(folder: Path | None = None) -> Path:
    """Path of CLIP's merges.txt, in its own folder or CLIP's.

    Raises:
        WeightsError: it is missing; the text says how to get it.
    """
    places = (folder,) if folder else (models_dir() / TEXT_FOLDER, models_dir() / CLIP_FOLDER)
    for place in places:
        if (place / "merges.txt").is_file():
            return place / "merges.txt"
    raise MissingWeights(TEXT_FOLDER, cards.CLIP_TOKENS.absent)


def tokenizer(merges: Path) -> Any:
    """CLIP's tokenizer (of the library `tokenizers`) from its merges alone.

    Raises:
        WeightsError: the file is not a list of merges.
    """
    go_offline()
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    lines = merges.read_text(encoding="utf-8").splitlines()
    cut = [line.split(" ") for line in lines if line and not line.startswith("#version")]
    pairs = [(p[0], p[1]) for p in cut if len(p) == 2]
    if not pairs or len(pairs) != len(cut):
        raise WeightsError(f"{merges} is no list of CLIP's merges; fetch it again.")
    letters = _bytes_as_letters()
    words = [*letters, *(c + "</w>" for c in letters), *(a + b for a, b in pairs), START, END]
    vocabulary = {w: i for i, w in enumerate(words)}
    made = Tokenizer(models.BPE(vocabulary, pairs, unk_token=END, end_of_word_suffix="</w>", continuing_subword_prefix=""))
    made.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return made


def _bytes_as_letters() -> list[str]:
    """A visible letter for each of 256 bytes, in the order of CLIP's vocabulary: printable ones first, as themselves."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(others))]


class TextEncoder:
    """Words to unit vectors; loads CLIP's text side on first use.

    Args:
        folder: where CLIP is; None takes the models folder. merges: folder of merges.txt; None takes the models folder.
    """

    def __init__(self, folder: Path | None = None, merges: Path | None = None) -> None:
        self.folder, self.merges = folder, merges

    @cached_property
    def _tokenizer(self) -> Any:
        return tokenizer(merges_path(self.merges))

    @cached_property
    def _parts(self) -> tuple[Any, torch.nn.Module]:
        go_offline()
        import torch
        from safetensors import SafetensorError
        from transformers import CLIPTextModelWithProjection

        folder = clip_folder(self.folder)
        catalog.vouch(CLIP_FOLDER, self.folder)
        try:
            clip = CLIPTextModelWithProjection.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
            head = torch.nn.Sequential(torch.nn.Linear(768, 768), torch.nn.ReLU(), torch.nn.Linear(768, 512))
            head.load_state_dict(checkpoint.read(package_file("image_encoder_mlp_weights.pth")))
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as wrong:
            reason = (str(wrong).strip().splitlines() or [type(wrong).__name__])[0][:200]
            raise WeightsError(f"CLIP in {folder} cannot be loaded ({reason}); fetch it again.") from wrong
        return clip, head.eval()

    def tokens(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Token numbers (n, 77) and which of them count (n, 77): start, the words, end; what does not fit is left out.

        Raises:
            SettingError: a text is empty.
        """
        rows, counts = [], []
        vocabulary = self._tokenizer.get_vocab_size()
        for text in texts:
            if not text.strip():
                raise SettingError("There is nothing to look for; type a few words.")
            ids = self._tokenizer.encode(text[:LONGEST], add_special_tokens=False).ids[: TOKENS - 2]
            own = [vocabulary - 2, *ids, vocabulary - 1]
            rows.append(own + [vocabulary - 1] * (TOKENS - len(own)))
            counts.append([1] * len(own) + [0] * (TOKENS - len(own)))
        return np.array(rows), np.array(counts)

    def embed(self, texts: Sequence[str], batch: int = 32) -> NDArray[np.float32]:
        """Unit vectors (n, 512) of texts.

        Raises:
            SettingError: there is no text, or one is empty.
            WeightsError: CLIP or its tokens are missing or damaged.
        """
        import torch

        if not texts:
            raise SettingError("There is nothing to look for; type a few words.")
        ids, counts = self.tokens(texts)
        clip, head = self._parts
        rows = []
        for at in range(0, len(ids), batch):
            part = slice(at, at + batch)
            with torch.inference_mode():
                said = clip(input_ids=torch.from_numpy(ids[part]), attention_mask=torch.from_numpy(counts[part])).text_embeds
                rows.append(torch.nn.functional.normalize(head(said), dim=1).float().numpy())
        return np.concatenate(rows)
