"""A whole recipe."""

import dataclasses
from typing import Literal

from lit.training.recipe import checks
from lit.training.recipe.model_section import ModelConfig
from lit.training.recipe.sections import (
    BatchConfig,
    CheckpointConfig,
    DataConfig,
    EvaluateConfig,
    ObjectiveConfig,
    OptimizerConfig,
    ScheduleConfig,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A training run: what `lit train` reads from a TOML file.

    Attributes:
      name: of the model that comes out.
      output: folder of the run: checkpoints, metrics.jsonl, model/, curve.png.
      seed: of the initial parameters, of the order of the data, and of the captions that are drawn.
    """

    name: str
    output: str
    model: ModelConfig
    data: DataConfig
    schedule: ScheduleConfig
    seed: int = 0
    objective: ObjectiveConfig = dataclasses.field(default=ObjectiveConfig())
    optimizer: OptimizerConfig = dataclasses.field(default=OptimizerConfig())
    batch: BatchConfig = dataclasses.field(default=BatchConfig())
    checkpoint: CheckpointConfig = dataclasses.field(default=CheckpointConfig())
    evaluate: EvaluateConfig = dataclasses.field(default=EvaluateConfig())

    def __post_init__(self) -> None:
        checks.filled("name", self.name, "it names the model that comes out")
        checks.filled("output", self.output, "it names the folder of the run, such as 'runs/my-lit'")
        checks.number("seed", self.seed, least=0, below=2**32)
        size, micro = self.batch.size, self.objective.micro_batch
        checks.require(
            not micro or (micro <= size and size % micro == 0),
            f"objective.micro_batch is {micro}; it must divide batch.size = {size}.",
        )
        checks.require(
            self.data.augment == "none" or not self._cacheable or not self.data.cache,
            f"data.augment is {self.data.augment!r}, and the locked image tower is run once for each image "
            "(data.cache = true); set data.cache = false, or data.augment = 'none'.",
        )

    @property
    def _cacheable(self) -> bool:
        return self.model.lock[0] == "L"

    @property
    def cached(self) -> bool:
        """Whether each image meets its tower once: the tower is locked, and `data.cache` asks for it."""
        return self._cacheable and self.data.cache

    @property
    def image_rows(self) -> Literal["zimg", "features", "pixels"]:
        """What a batch holds of its images: embeddings, where nothing of the image side learns; the locked tower's
        features, where a head on them does; pixels, where nothing is cached.
        """
        if not self.cached:
            return "pixels"
        return "zimg" if self.model.image_stays else "features"
