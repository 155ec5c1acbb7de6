"""LiT training: a locked image tower, and a text tower that learns its language.

::

    from lit.training import load_recipe, train

    result = train(load_recipe("recipe.toml"))
    model = lit.load(result.model)
"""

from lit.training.plan import TrainPlan as TrainPlan
from lit.training.plan import plan_of as plan_of
from lit.training.prepare import prepare as prepare
from lit.training.recipe import TrainConfig as TrainConfig
from lit.training.recipe import load_recipe as load_recipe
from lit.training.result import Result as Result
from lit.training.run import train as train
