"""What a training run is: frozen dataclasses, read from TOML and written as TOML."""

from lit.training.recipe.model_section import ModelConfig as ModelConfig
from lit.training.recipe.read import load_recipe as load_recipe
from lit.training.recipe.sections import BatchConfig as BatchConfig
from lit.training.recipe.sections import CheckpointConfig as CheckpointConfig
from lit.training.recipe.sections import DataConfig as DataConfig
from lit.training.recipe.sections import EvaluateConfig as EvaluateConfig
from lit.training.recipe.sections import ObjectiveConfig as ObjectiveConfig
from lit.training.recipe.sections import OptimizerConfig as OptimizerConfig
from lit.training.recipe.sections import ScheduleConfig as ScheduleConfig
from lit.training.recipe.train_config import TrainConfig as TrainConfig
from lit.training.recipe.write import recipe_text as recipe_text
