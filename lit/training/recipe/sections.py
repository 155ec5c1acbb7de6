"""The sections of a recipe that say how it is trained; `model_section` says what."""

import dataclasses
from typing import Literal

from lit.training.recipe import checks


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
    """`[data]`: images with captions.

    Attributes:
      source: what `lit.datasets` opens: a tfds name, a folder, a manifest, a pattern of tars.
      split, data_dir: of a tfds data set; empty for its default.
      captions: the field that holds the captions, where the source does not say; empty for its own.
      cache: run every image through a locked tower once, and train from what it gave (`TrainConfig.image_rows`).
      workers: processes that read and tokenize; 0 reads in the training process.
      canonicalize: lower case, no punctuation, as big_vision's `canonicalize_text`.
      augment: "crop-flip": a random crop and a random flip of the image, which a cache would fix.
      skip_bad: count and report what cannot be read; False stops at the first.
    """

    source: str
    split: str = ""
    data_dir: str = ""
    captions: str = ""
    cache: bool = True
    workers: int = 0
    canonicalize: bool = True
    augment: Literal["none", "crop-flip"] = "none"
    skip_bad: bool = True

    def __post_init__(self) -> None:
        checks.choices("data", self)
        checks.filled("data.source", self.source, "name a data set, a folder, a manifest or a pattern of tars")
        checks.number("data.workers", self.workers, least=0, hint="0 reads in the training process")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ObjectiveConfig:
    """`[objective]`: the loss.

    Attributes:
      loss: "softmax" (LiT, CLIP) or "sigmoid" (SigLIP), which learns a bias beside the scale.
      chunk: rows of images that meet all texts at a time; memory grows with batch x chunk.  0: all at once.
      exchange: how the sigmoid loss meets the pairs of other devices.
      logit_scale, logit_bias: what they begin with.  Left out: those of the model where both towers start from the
        same one; otherwise 10 and -10 (Source: arXiv 2303.15343, section 3.2; big_vision, lit_coco: ln 10).
      micro_batch: pairs whose activations are held at a time (two passes); 0 holds the whole batch's.
    """

    loss: Literal["softmax", "sigmoid"] = "softmax"
    chunk: int = 0
    exchange: Literal["gather", "ring"] = "gather"
    logit_scale: float | None = None
    logit_bias: float | None = None
    micro_batch: int = 0

    def __post_init__(self) -> None:
        checks.choices("objective", self)
        checks.number("objective.chunk", self.chunk, least=0, hint="0 takes all pairs at once")
        checks.number("objective.micro_batch", self.micro_batch, least=0, hint="0 holds the whole batch")
        if self.logit_scale is not None:
            checks.positive("objective.logit_scale", self.logit_scale, "it multiplies a cosine")
        sigmoid = self.loss == "sigmoid"
        checks.empty_unless(
            "objective.logit_bias", self.logit_bias, sigmoid, "objective.loss is 'softmax', which has no bias"
        )
        checks.require(
            sigmoid or self.exchange == "gather",
            "objective.exchange is 'ring' and objective.loss is 'softmax', whose normaliser needs every pair at once; "
            "use loss = 'sigmoid' or exchange = 'gather'.",
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """`[optimizer]`.

    Attributes:
      kind: "adamw"; "adafactor" in big_vision's variant; "lion".
      learning_rate: at the peak of the schedule.
      weight_decay: of kernels, not of the table of words.  It is multiplied by the learning rate, as in optax and
        PyTorch; big_vision's `wd`, which is not, is `learning_rate * weight_decay`.
      beta1: of the momentum.
      beta2: of the second moment (for "adafactor": its cap; for "lion": of the momentum that is kept).
        Source of 0.95: arXiv 2303.15343 (SigLIP), section 4.6.
      clip_norm: largest global norm of a gradient; 0 for no limit.
      ema: decay of the average of the parameters that becomes the model; 0 for none.
      pretrained_learning_rate_factor, pretrained_weight_decay_factor: multiply both for parameters that came from a
        checkpoint.  SigLIP decays a pre-trained tower with 0 (arXiv 2303.15343, section 4.2).
    """

    kind: Literal["adamw", "adafactor", "lion"] = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.95
    clip_norm: float = 1.0
    ema: float = 0.0
    pretrained_learning_rate_factor: float = 1.0
    pretrained_weight_decay_factor: float = 1.0

    def __post_init__(self) -> None:
        checks.choices("optimizer", self)
        checks.positive("optimizer.learning_rate", self.learning_rate, "1e-3 is usual for adamw, 1e-4 for lion")
        checks.number("optimizer.weight_decay", self.weight_decay, least=0)
        for name in ("beta1", "beta2", "ema"):
            checks.number(f"optimizer.{name}", getattr(self, name), least=0, below=1)
        checks.number("optimizer.clip_norm", self.clip_norm, least=0, hint="0 sets no limit")
        checks.positive(
            "optimizer.pretrained_learning_rate_factor",
            self.pretrained_learning_rate_factor,
            "a tower that is not to move is locked in model.lock",
        )
        checks.number("optimizer.pretrained_weight_decay_factor", self.pretrained_weight_decay_factor, least=0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """`[schedule]`: steps, and the learning rate over them.

    Attributes:
      kind: "cosine" ends at 0; "rsqrt" is the inverse square root, which can be carried on, with a linear end.
      steps: of the whole run.
      warmup_steps: linear from 0.
      cooldown_steps: linear to 0 at the end; of "rsqrt" alone.
    """

    kind: Literal["cosine", "rsqrt"] = "cosine"
    steps: int
    warmup_steps: int = 0
    cooldown_steps: int = 0

    def __post_init__(self) -> None:
        checks.choices("schedule", self)
        checks.positive("schedule.steps", self.steps)
        checks.number("schedule.warmup_steps", self.warmup_steps, least=0)
        checks.number("schedule.cooldown_steps", self.cooldown_steps, least=0)
        checks.require(
            self.kind == "rsqrt" or not self.cooldown_steps,
            f"schedule.cooldown_steps is {self.cooldown_steps} and schedule.kind is 'cosine', which ends at 0 by "
            "itself; leave it out, or use kind = 'rsqrt'.",
        )
        checks.require(
            self.warmup_steps + self.cooldown_steps <= self.steps,
            f"schedule.warmup_steps is {self.warmup_steps} and schedule.cooldown_steps is {self.cooldown_steps}; "
            f"together they must not be longer than schedule.steps = {self.steps}.",
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchConfig:
    """`[batch]`: its size, its precision, and the devices that share it.

    Attributes:
      size: pairs of one step, over all devices and processes.
      precision: of the operands of matrix products; the parameters stay float32.
      data, fsdp: axes of the mesh; -1 for `data` takes all devices that `fsdp` leaves.
    """

    size: int = 512
    precision: Literal["float32", "bfloat16"] = "float32"
    data: int = -1
    fsdp: int = 1

    def __post_init__(self) -> None:
        checks.choices("batch", self)
        checks.number("batch.size", self.size, least=2, hint="a pair is told from the others of its batch")
        checks.number("batch.fsdp", self.fsdp, least=1)
        checks.require(
            self.data == -1 or self.data > 0, f"batch.data is {self.data}; it must be positive, or -1 for all devices."
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """`[checkpoint]`.

    Attributes:
      every: steps between two checkpoints.
      keep: checkpoints that stay; the older ones are removed.
    """

    every: int = 500
    keep: int = 2

    def __post_init__(self) -> None:
        checks.number("checkpoint.every", self.every, least=1)
        checks.number("checkpoint.keep", self.keep, least=1, hint="2 survive a damaged newest one")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """`[evaluate]`: zero-shot suites during training.

    Attributes:
      suites: names or files, as `lit eval` takes them.
      every: steps between two evaluations; 0 evaluates at the end alone.
      data_dir: of their data sets.
    """

    suites: tuple[str, ...] = ()
    every: int = 0
    data_dir: str = ""

    def __post_init__(self) -> None:
        checks.number("evaluate.every", self.every, least=0, hint="0 evaluates at the end alone")
        checks.require(
            not self.every or bool(self.suites),
            f"evaluate.every is {self.every} and evaluate.suites names none; add suites, or leave both out.",
        )
