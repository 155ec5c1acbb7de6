"""The section of a recipe that says which towers begin from where, and which of them learn."""

import dataclasses
from typing import Literal

from lit.config import ImageTowerConfig, PreprocessConfig, TextTowerConfig, TokenizerConfig
from lit.training.recipe import checks


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """`[model]`.

    Attributes:
      lock: first letter the image tower, second the text tower.  L: locked; U: unlocked, from a checkpoint; u:
        unlocked, from scratch (Source: arXiv 2111.07991, figure 2).
      image: start of the image tower: "embedded", a released name, the folder of a saved model, or an .npz (ViT,
        AugReg, LiT); empty for "u".
      text: start of the text tower: "embedded", a released name, the folder of a saved model, a folder with BERT or a
        sentence transformer as transformers writes it, or a LiT .npz; empty for "u".
      image_tower, text_tower: a configuration as LiTConfig's, where the start does not bring one.
      tokenizer, vocab: as TokenizerConfig, and a file (or "embedded"), where the start brings none.
      preprocess: as PreprocessConfig, where the start brings none.
      dim: width of the shared space; 0 for that of the image side.
      image_head, text_head: a new head on a tower, which learns even where the tower is locked, and takes the place of
        one that the start brings.  "linear": a Dense layer; "mlp": layer norm, Dense (four times `dim`), gelu, Dense.
        "none": no head on the image tower but its own; on the text tower a Dense layer, where it does not end at `dim`.
    """

    lock: Literal["LL", "LU", "Lu", "UL", "UU", "Uu", "uL", "uU", "uu"] = "Lu"
    image: str = "embedded"
    text: str = ""
    image_tower: ImageTowerConfig | None = None
    text_tower: TextTowerConfig | None = None
    tokenizer: TokenizerConfig | None = None
    vocab: str = ""
    preprocess: PreprocessConfig | None = None
    dim: int = 0
    image_head: Literal["none", "linear", "mlp"] = "none"
    text_head: Literal["none", "linear", "mlp"] = "none"

    @property
    def image_learns(self) -> bool:
        """Whether a head on the image tower learns, be the tower locked or not."""
        return self.image_head != "none"

    @property
    def image_stays(self) -> bool:
        """Whether nothing of the image side learns: its embeddings are the same throughout."""
        return self.lock[0] == "L" and not self.image_learns

    def __post_init__(self) -> None:
        checks.choices("model", self)
        checks.number("model.dim", self.dim, least=0, hint="0 takes the width of the image side")
        for letter, side in zip(self.lock, ("image", "text"), strict=True):
            self._start(letter, side)
        self._ends_at_dim()

    def _start(self, letter: str, side: str) -> None:
        start, tower = getattr(self, side), getattr(self, f"{side}_tower")
        unlocked = f"{self.lock[0]}u" if side == "text" else f"u{self.lock[1]}"
        upper = f"{self.lock[0]}U" if side == "text" else f"U{self.lock[1]}"
        if letter == "u":
            checks.require(
                not start,
                f"model.{side} is {start!r} and model.lock is {self.lock!r}, which trains the {side} tower from "
                f"scratch; leave model.{side} empty, or write lock = '{upper}' to begin from it.",
            )
            checks.require(
                tower is not None,
                f"model.{side}_tower is missing; model.lock is {self.lock!r}, which trains the {side} tower from "
                "scratch and needs its configuration, such as "
                + (
                    "{kind = 'vit', width = 192, depth = 12, mlp_dim = 768, num_heads = 3, patch_size = 16}."
                    if side == "image"
                    else "{kind = 'text-transformer', width = 256, depth = 4, mlp_dim = 1024, num_heads = 4, "
                    "vocab_size = 30522}."
                ),
            )
        else:
            checks.require(
                bool(start.strip()),
                f"model.{side} is empty and model.lock is {self.lock!r}, which takes the {side} tower from a "
                f"checkpoint; name one, or write lock = '{unlocked}' to train it from scratch.",
            )

    def _ends_at_dim(self) -> None:
        for side, tower in (("image", self.image_tower), ("text", self.text_tower)):
            out = getattr(tower, "out_dim", None)
            checks.require(
                not self.dim or out in (None, self.dim),
                f"model.{side}_tower.out_dim is {out} and model.dim is {self.dim}; both must be the same. Leave "
                "out_dim out: a head of the right width is added.",
            )
