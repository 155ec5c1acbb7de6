"""Recipes: what is read, what is refused and with which words, and the way there and back."""

import dataclasses
import tomllib
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipes import IMAGE_TOWER, TEXT_TOWER, recipe, recipe_table

from lit.config import TextTransformerConfig, from_dict
from lit.errors import ConfigError
from lit.training.recipe import (
    BatchConfig,
    CheckpointConfig,
    DataConfig,
    EvaluateConfig,
    ModelConfig,
    ObjectiveConfig,
    OptimizerConfig,
    ScheduleConfig,
    TrainConfig,
    load_recipe,
    recipe_text,
)

SMALLEST = """
name = "new"
output = "runs/new"
[model]
text_tower = {kind = "text-transformer", width = 32, depth = 1, mlp_dim = 64, num_heads = 2, vocab_size = 200}
[data]
source = "pairs.csv"
[schedule]
steps = 10
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(SMALLEST)
    return path


def test_the_smallest_recipe_and_its_defaults(file):
    config = load_recipe(file)
    assert (config.name, config.model.lock, config.model.image, config.seed) == ("new", "Lu", "embedded", 0)
    assert isinstance(config.model.text_tower, TextTransformerConfig)
    assert config.optimizer == OptimizerConfig()
    assert (config.objective.loss, config.batch.size, config.checkpoint.keep) == ("softmax", 512, 2)
    assert config.cached


def test_what_the_command_line_sets(file):
    config = load_recipe(file, [
        "optimizer.learning_rate=3e-4", "batch.size = 64", "model.image=LiT-B16B_2", "evaluate.suites=['a', 'b']",
        "data.cache=false", "name=a=b", 'data.captions="true"', "model.text_tower.width=64", "data.split=train[:10%]",
        "objective.logit_scale=5",
    ])  # fmt: skip
    assert config.optimizer.learning_rate == 3e-4
    assert config.batch.size == 64
    assert (config.model.image, config.model.text_tower.width) == ("LiT-B16B_2", 64)
    assert config.evaluate.suites == ("a", "b")
    assert (config.data.cache, config.cached) == (False, False)
    assert (config.name, config.data.captions, config.data.split) == ("a=b", "true", "train[:10%]")
    assert config.objective.logit_scale == 5.0


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("optimizer.learning_rat=1", "'optimizer.learning_rat' is no key. Did you mean 'optimizer.learning_rate'?"),
        ("optimzer.kind=lion", "'optimzer' is no key. Did you mean 'optimizer'? The file has: name, output, model"),
        ("model.text_tower.widht=3", "'model.text_tower.widht' is no key. Did you mean 'model.text_tower.width'?"),
        ("model.text_tower.width=0", "model.text_tower.width is 0; it must be positive"),
        ("model.text_tower.kind=brt", "model.text_tower.kind is 'brt'; it must be one of 'bert', 'text-transformer'"),
        ("batch.size=many", "batch.size is 'many'; it must be int"),
        ("batch.size=8.0", "batch.size is 8.0; it must be int"),
        ("data.cache=1", "data.cache is 1; it must be bool"),
        ("optimizer.learning_rate=nan", "optimizer.learning_rate is nan"),
        ("evaluate.suites=cifar10", "evaluate.suites is 'cifar10'; it must be a list"),
        ("objective.loss=sigmod", "objective.loss is 'sigmod'; it must be one of 'softmax', 'sigmoid'"),
        ("model=LU", "model needs a table of fields and got 'LU'"),
        ("model.lock=lu", "model.lock is 'lu'; it must be one of 'LL', 'LU'"),
    ],
)
def test_wrong_keys_and_types_name_the_dotted_key_and_the_file(file, override, says):
    with pytest.raises(ConfigError) as caught:
        load_recipe(file, [override])
    assert str(caught.value).startswith(f"{file} with --set {override}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize("override", ["learning_rate", "=3", "model..lock=LU", "name.x=3", ""])
def test_what_is_no_override(file, override):
    with pytest.raises(ConfigError, match="--set"):
        load_recipe(file, [override])


def test_a_missing_key_and_the_file_alone_in_the_message(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text('name = "x"\n[data]\n')
    with pytest.raises(ConfigError) as caught:
        load_recipe(path)
    assert str(caught.value) == f"{path}: The file lacks output, model, schedule."
    path.write_text(SMALLEST.replace('source = "pairs.csv"', ""))
    with pytest.raises(ConfigError, match=r"data lacks data\.source"):
        load_recipe(path)


def test_files_that_are_no_recipe(tmp_path, file):
    with pytest.raises(ConfigError, match=r"there is no recipe .*recipes\.toml\. Did you mean .*recipe\.toml\?"):
        load_recipe(tmp_path / "recipes.toml")
    with pytest.raises(ConfigError, match="there is no recipe .* Check the path"):
        load_recipe(tmp_path / "nowhere" / "x.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_recipe(tmp_path)
    file.write_text("name = \n")
    with pytest.raises(ConfigError, match=r"no valid TOML: .*line 1"):
        load_recipe(file)
    file.write_bytes(b"\xef\xbb\xbf" + recipe_text(recipe()).encode())  # as Notepad saves it
    assert load_recipe(file) == recipe()
    file.write_bytes(b'name = "\xff"')
    with pytest.raises(ConfigError, match="byte 8 is not UTF-8"):
        load_recipe(file)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": " "}, "name is empty"),
        ({"output": ""}, "output is empty; it names the folder of the run"),
        ({"seed": -1}, "seed is -1; it must be at least 0 and less than 4,294,967,296"),
        # Model.
        ({"model": {"image": ""}}, "model.image is empty and model.lock is 'Lu'.*lock = 'uu' to train it from scratch"),
        ({"model": {"lock": "LU"}}, "model.text is empty and model.lock is 'LU'.*lock = 'Lu'"),
        ({"model": {"text": "minilm"}}, "model.text is 'minilm' and model.lock is 'Lu'.*lock = 'LU' to begin from it"),
        ({"model": {"lock": "uu"}}, "model.image is 'embedded' and model.lock is 'uu'.*lock = 'Uu' to begin from it"),
        ({"model": {"lock": "uu", "image": ""}}, r"model.image_tower is missing.*needs its configuration.*'vit'"),
        ({"model": {"dim": -1}}, "model.dim is -1; it must be at least 0; 0 takes the width of the image side"),
        ({"model": {"dim": 64, "text_tower": {**TEXT_TOWER, "out_dim": 32}}},
         "model.text_tower.out_dim is 32 and model.dim is 64; both must be the same"),
        ({"model": {"dim": 64, "lock": "uu", "image": "", "image_tower": {**IMAGE_TOWER, "out_dim": 32}}},
         "model.image_tower.out_dim is 32 and model.dim is 64"),
        # Data.
        ({"data": {"source": ""}}, "data.source is empty"),
        ({"data": {"workers": -1}}, "data.workers is -1; it must be at least 0"),
        ({"data": {"augment": "crop-flip"}}, "locked image tower is run once.*set data.cache = false"),
        # Objective.
        ({"objective": {"chunk": -1}}, "objective.chunk is -1"),
        ({"objective": {"micro_batch": -2}}, "objective.micro_batch is -2"),
        ({"objective": {"micro_batch": 1024}}, "objective.micro_batch is 1024; it must divide batch.size = 512"),
        ({"objective": {"logit_scale": 0.0}}, "objective.logit_scale is 0; it must be greater than 0"),
        ({"objective": {"logit_bias": -10.0}}, "objective.logit_bias is set and objective.loss is 'softmax', which"),
        ({"objective": {"exchange": "ring"}}, "objective.exchange is 'ring' and objective.loss is 'softmax'"),
        # Optimizer.
        ({"optimizer": {"learning_rate": 0.0}}, "optimizer.learning_rate is 0; it must be greater than 0"),
        ({"optimizer": {"learning_rate": -1e-3}}, "optimizer.learning_rate is -0.001"),
        ({"optimizer": {"weight_decay": -0.1}}, "optimizer.weight_decay is -0.1"),
        ({"optimizer": {"beta1": 1.0}}, "optimizer.beta1 is 1; it must be at least 0 and less than 1"),
        ({"optimizer": {"beta2": -0.1}}, "optimizer.beta2 is -0.1"),
        ({"optimizer": {"ema": 1.0}}, "optimizer.ema is 1"),
        ({"optimizer": {"clip_norm": -1.0}}, "optimizer.clip_norm is -1; it must be at least 0; 0 sets no limit"),
        ({"optimizer": {"pretrained_learning_rate_factor": 0.0}}, "is locked in model.lock"),
        ({"optimizer": {"pretrained_weight_decay_factor": -1.0}}, "pretrained_weight_decay_factor is -1"),
        # Schedule.
        ({"schedule": {"steps": 0}}, "schedule.steps is 0"),
        ({"schedule": {"warmup_steps": -1}}, "schedule.warmup_steps is -1"),
        ({"schedule": {"warmup_steps": 11}}, "schedule.warmup_steps is 11.*not be longer than schedule.steps = 10"),
        ({"schedule": {"kind": "rsqrt", "warmup_steps": 6, "cooldown_steps": 5}}, "cooldown_steps is 5; together"),
        ({"schedule": {"kind": "rsqrt", "cooldown_steps": -5}}, "schedule.cooldown_steps is -5"),
        ({"schedule": {"cooldown_steps": 5}}, "schedule.kind is 'cosine', which ends at 0 by itself"),
        # The rest.
        ({"batch": {"size": 1}}, "batch.size is 1; it must be at least 2"),
        ({"batch": {"data": 0}}, "batch.data is 0; it must be positive, or -1"),
        ({"batch": {"fsdp": 0}}, "batch.fsdp is 0"),
        ({"batch": {"precision": "float16"}}, "batch.precision is 'float16'"),
        ({"checkpoint": {"every": 0}}, "checkpoint.every is 0"),
        ({"checkpoint": {"keep": 0}}, "checkpoint.keep is 0"),
        ({"evaluate": {"every": -1}}, "evaluate.every is -1"),
        ({"evaluate": {"every": 5}}, "evaluate.every is 5 and evaluate.suites names none"),
    ],
)  # fmt: skip
def test_what_is_refused(changes, says):
    with pytest.raises(ConfigError, match=says):
        recipe(**changes)


def test_what_is_cached():
    def cached(model=None, **data):
        return recipe(model=model or {}, data=data).cached

    assert cached()
    assert not cached(cache=False)
    assert not cached({"lock": "Uu"})
    assert cached({"image_head": "linear"})
    assert not cached(cache=False, augment="crop-flip")
    assert not cached({"lock": "Uu"}, augment="crop-flip")


def test_what_a_batch_holds_of_its_images():
    assert recipe().image_rows == "zimg"
    assert recipe(model={"image_head": "linear"}).image_rows == "features"
    assert recipe(model={"image_head": "linear"}, data={"cache": False}).image_rows == "pixels"
    assert recipe(model={"lock": "Uu"}).image_rows == "pixels"


def _strategy(hint):
    """Values of one field, among which are those that TOML finds hard."""
    if typing.get_origin(hint) is typing.Literal:
        return st.sampled_from(typing.get_args(hint))
    return {
        str: st.text(),
        bool: st.booleans(),
        int: st.integers(0, 2**40),
        float: st.floats(0, 1e30, allow_subnormal=True),
        tuple[str, ...]: st.lists(st.text(), max_size=3).map(tuple),
    }.get(hint, st.none())


SECTIONS = [BatchConfig, CheckpointConfig, DataConfig, EvaluateConfig, ModelConfig, ObjectiveConfig, OptimizerConfig,
            ScheduleConfig]  # fmt: skip


@given(section=st.sampled_from(SECTIONS), data=st.data())
def test_the_way_to_toml_and_back(section, data):
    """Every field at once, whatever it holds: a section that does not fit by itself is put together unchecked."""
    name = section.__name__.removesuffix("Config").lower()
    hints = typing.get_type_hints(section)
    values = {f.name: data.draw(_strategy(hints[f.name])) for f in dataclasses.fields(section)}
    config = recipe()
    changed = object.__new__(section)
    for key, value in values.items():
        object.__setattr__(changed, key, value)
    whole = object.__new__(TrainConfig)
    for field in dataclasses.fields(TrainConfig):
        object.__setattr__(whole, field.name, changed if field.name == name else getattr(config, field.name))
    back = tomllib.loads(recipe_text(whole))[name]
    assert back == {k: list(v) if isinstance(v, tuple) else v for k, v in values.items() if v is not None}


TEXTS = st.text(min_size=1).filter(str.strip)


@given(name=TEXTS, source=TEXTS, seed=st.integers(0, 2**32 - 1), rate=st.floats(1e-12, 1e6), scale=st.floats(1e-6, 1e6),
       suites=st.lists(st.text(), max_size=3), lock=st.sampled_from(["Lu", "Uu", "uu"]))  # fmt: skip
def test_a_recipe_is_read_as_it_was_written(tmp_path_factory, name, source, seed, rate, scale, suites, lock):
    model = {"lock": lock} if lock != "uu" else {"lock": lock, "image": "", "image_tower": IMAGE_TOWER}
    config = recipe(name=name, output=name, seed=seed, model=model, data={"source": source},
                    optimizer={"learning_rate": rate}, objective={"logit_scale": scale},
                    evaluate={"suites": suites})  # fmt: skip
    path = tmp_path_factory.getbasetemp() / "written.toml"
    path.write_text(recipe_text(config), encoding="utf-8", newline="")
    assert load_recipe(path) == config


def test_a_table_of_a_recipe_has_the_names_of_its_sections():
    assert {f.name for f in dataclasses.fields(TrainConfig)} >= {c.__name__[:-6].lower() for c in SECTIONS}
    assert from_dict(TrainConfig, recipe_table(), at="") == recipe()
