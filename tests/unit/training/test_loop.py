"""A whole run in this process: it learns, stops, goes on to the same bits, and says what is wrong."""

import itertools
import json
import os
import resource
import shutil
import signal

import jax
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache
from labelled import save_folders
from tiny import pictures, save_tiny, tiny_config
from training_corpus import save_corpus, write_recipe

import lit
from lit.errors import ConfigError, DivergedError, OutputError
from lit.training import load_recipe, plan_of, prepare, suites, train, workplace
from lit.training import loop as loops
from lit.training.checkpoints import Checkpoints
from lit.training.metrics_log import read_metrics
from lit.training.signals import Stop
from lit.training.step import Learning

# What Orbax drops when a read or a write fails, Python may report a little later, from wherever it collects.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True, scope="module")
def compile_once(tmp_path_factory):
    """Every run of a recipe compiles the same step; it may take it from a folder."""
    changed = {"jax_compilation_cache_dir": str(tmp_path_factory.mktemp("xla"))}
    changed |= {"jax_persistent_cache_min_compile_time_secs": 0.0}
    before = {name: jax.config.values[name] for name in changed}
    for settings in (changed, before):
        for name, value in settings.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()
        if settings is changed:
            yield


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model, its vocabulary, and pictures with captions."""
    folder = tmp_path_factory.mktemp("files")
    bundle = save_tiny(folder / "tiny", tiny_config())
    (bundle / "LICENSES").mkdir()
    (bundle / "LICENSES" / "NOTICE.md").write_text("of the pictures' tower")
    return {"bundle": bundle, "vocab": folder / "tiny-vocab.txt", "source": save_corpus(folder / "pictures", each=1)}


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path_factory):
    """The pictures are embedded once for all tests."""
    monkeypatch.setenv("LIT_CACHE", str(tmp_path_factory.getbasetemp() / "training-cache"))


@pytest.fixture
def recipe(files, tmp_path):
    """Makes recipes whose folder is `<tmp_path>/out`, or another one."""

    def recipe(output="out", /, **sections):
        path = write_recipe(tmp_path / "recipe.toml", **files, output=tmp_path / output, **sections)
        return load_recipe(path)

    return recipe


@pytest.fixture(scope="module")
def undisturbed(files, tmp_path_factory):
    """The folder of a run of twelve steps that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIT_CACHE", str(tmp_path_factory.getbasetemp() / "training-cache"))
        result = train(load_recipe(write_recipe(folder / "recipe.toml", **files, output=folder / "out")))
    assert result.stopped == ""
    return folder / "out"


def weights(output):
    return (output / "model" / "model.safetensors").read_bytes()


def losses(output):
    return [(record["step"], record["loss"]) for record in read_metrics(output / "metrics.jsonl")]


def stop_at(monkeypatch, step, number=signal.SIGTERM):
    """Sends a signal to this process while a step is under way."""
    original = loops.rows_of
    seen = []

    def rows_of(batch, kind):
        seen.append(batch)
        if len(seen) == step:
            os.kill(os.getpid(), number)
        return original(batch, kind)

    monkeypatch.setattr(loops, "rows_of", rows_of)


def test_it_learns_and_the_model_opens(recipe, files):
    config = recipe(schedule={"steps": 150}, checkpoint={"every": 1000})
    result = train(config)
    assert (result.step, result.steps, result.stopped) == (150, 150, "")
    records = read_metrics(result.output / "metrics.jsonl")
    assert [record["step"] for record in records] == list(range(1, 151))
    begin, end = records[:10], records[-10:]
    assert np.mean([r["loss"] for r in end]) < 0.5 * np.mean([r["loss"] for r in begin])
    assert np.mean([r["image_to_text"] for r in end]) > np.mean([r["image_to_text"] for r in begin]) + 0.3
    assert all(r["pairs_per_second"] > 0 and 0 <= r["waiting"] <= 1 and r["learning_rate"] >= 0 for r in records)
    model = lit.load(result.model)
    zimg, ztxt = model.embed_images([files["source"].parent / "red-dog-0.png"]), model.embed_texts(["a red dog", "."])
    assert zimg.shape == (1, 32)
    assert model.name == "toy"
    assert (zimg @ ztxt.T)[0, 0] > (zimg @ ztxt.T)[0, 1]
    assert model.logit_scale == pytest.approx(records[-1]["logit_scale"], rel=0.01)
    # The locked tower is the one that it started from, bit for bit.
    before, after = (lit.checkpoints.load_bundle(path).params["img"] for path in (files["bundle"], result.model))
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, before, after)))
    assert "12 images, 24 captions" in model.card
    assert f"| loss, mean of the last 100 steps | {result.loss:.4f} |" in model.card
    assert (result.output / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert (result.model / "LICENSES" / "NOTICE.md").read_text() == "of the pictures' tower"
    assert not list(result.output.glob(".*tmp"))


@pytest.mark.parametrize("step", [4, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 7))])
def test_a_run_that_was_stopped_ends_with_the_same_bits(recipe, undisturbed, monkeypatch, step):
    with monkeypatch.context() as patch:
        stop_at(patch, step)
        stopped = train(recipe())
    assert (stopped.stopped, stopped.step, stopped.model) == ("SIGTERM", step, None)
    assert len(losses(stopped.output)) == step
    finished = train(recipe())
    assert finished.step == 12
    assert weights(finished.output) == weights(undisturbed)
    assert losses(finished.output) == losses(undisturbed)


@pytest.mark.slow
def test_so_does_one_that_died_between_checkpoints(recipe, undisturbed):
    """What was logged after the last checkpoint is done again and logged once."""

    def die(batch, kind):
        seen.append(batch)
        if len(seen) == 7:
            raise SystemExit("died")
        return original(batch, kind)

    original, seen = loops.rows_of, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "rows_of", die)
        with pytest.raises(SystemExit):
            train(recipe())
    finished = train(recipe())
    assert len(seen) == 7
    assert weights(finished.output) == weights(undisturbed)
    assert losses(finished.output) == losses(undisturbed)


def test_ctrl_c_saves_and_says_how_far_it_came(recipe, monkeypatch, tmp_path):
    stop_at(monkeypatch, 3, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=r"step 3 of 12 is saved in .*out, and the same command continues"):
        train(recipe())
    assert (tmp_path / "out" / "checkpoints" / "3").is_dir()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_finished_run_stays_as_it_is(recipe, undisturbed, monkeypatch):
    monkeypatch.setattr(loops, "rows_of", None)  # no step is taken
    before = weights(undisturbed)
    config = load_recipe(undisturbed.parent / "recipe.toml")
    assert train(config).step == 12
    assert weights(undisturbed) == before


@pytest.mark.slow
def test_a_damaged_newest_checkpoint_gives_way_to_the_one_before(recipe, undisturbed, monkeypatch, caplog):
    with monkeypatch.context() as patch:
        stop_at(patch, 6)
        output = train(recipe()).output
    newest = max((output / "checkpoints" / "6").rglob("*"), key=lambda path: path.is_file() and path.stat().st_size)
    newest.write_bytes(b"\0" * newest.stat().st_size)
    caplog.clear()
    finished = train(recipe())
    assert "the checkpoint of step 6 (" in caplog.text
    assert "is damaged and was moved to" in caplog.text
    assert weights(finished.output) == weights(undisturbed)


@pytest.mark.slow
def test_the_cache_changes_the_losses_by_rounding_alone(recipe, undisturbed):
    without = train(recipe(data={"cache": False}))
    np.testing.assert_allclose(losses(without.output), losses(undisturbed), rtol=1e-4)


def test_another_recipe_in_the_folder_is_refused_by_its_keys(recipe, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, 1)
        train(recipe())
    with pytest.raises(ConfigError, match=r"holds a run of another recipe: batch.size: was 8, is 4; seed: was 0"):
        train(lit.training.load_recipe(recipe().output + "/../recipe.toml", ["batch.size=4", "seed=1"]))


def test_another_architecture_in_the_folder_is_refused(recipe, monkeypatch, tmp_path):
    """The same recipe, but the optimizer keeps something else."""
    with monkeypatch.context() as patch:
        stop_at(patch, 1)
        train(recipe())
    before = (tmp_path / "out" / "run.json").read_bytes()
    with pytest.raises(ConfigError, match=r"a run of another architecture \(step 1\)"):
        train(recipe(optimizer={"weight_decay": 0.1}))
    assert (tmp_path / "out" / "run.json").read_bytes() == before


@pytest.mark.slow
def test_what_may_change_is_said_and_done(recipe, monkeypatch, caplog):
    with monkeypatch.context() as patch:
        stop_at(patch, 2)
        train(recipe())
    result = train(recipe(optimizer={"learning_rate": 0.001}, schedule={"steps": 3}))
    assert (result.step, result.steps) == (3, 3)
    assert "the run goes on with another recipe: optimizer.learning_rate: was 0.01, is 0.001" in caplog.text
    assert "schedule.steps: was 12, is 3" in caplog.text


def test_locked_weights_that_became_others_are_refused(recipe, files, monkeypatch, tmp_path):
    moving = save_tiny(tmp_path / "moving", tiny_config())
    model = {"image": str(moving)}
    with monkeypatch.context() as patch:
        stop_at(patch, 1)
        train(recipe(model=model))
    bundle = lit.checkpoints.load_bundle(moving)
    bundle.params["img"]["cls"] = bundle.params["img"]["cls"] + np.float32(1)
    lit.checkpoints.save_bundle(
        moving, config=bundle.config, params=bundle.params, vocab=files["vocab"], card="", overwrite=True
    )
    with pytest.raises(ConfigError, match="whose locked parameters were others: model.image or model.text is no"):
        train(recipe(model=model))


def test_fresh_begins_anew_and_leaves_what_is_not_the_runs(recipe, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, 5)
        output = train(recipe()).output
    (output / "notes.txt").write_text("mine")
    stop_at(monkeypatch, 2)
    train(recipe(), fresh=True)
    assert [step for step, _ in losses(output)] == [1, 2]
    assert (output / "notes.txt").read_text() == "mine"


def test_a_folder_of_somebody_else_is_not_touched(recipe, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    for fresh in (False, True):
        with pytest.raises(
            OutputError, match=r"holds thesis.tex, and no run of `lit train`; nothing in it was touched"
        ):
            train(recipe(), fresh=fresh)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]


@pytest.mark.slow
def test_a_full_disk_at_checkpoint_time_is_said_and_the_same_command_goes_on(recipe, undisturbed, monkeypatch):
    original = Checkpoints.save
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def save(self, step, state, record):
        self.wait()
        if step == 8:
            resource.setrlimit(resource.RLIMIT_FSIZE, (600, hard))
        try:
            original(self, step, state, record)
            self.wait()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    config = recipe()
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", save)
        with pytest.raises(OutputError, match="The checkpoint of step 4 is kept; free some space and run the same"):
            train(config)
    finished = train(config)
    assert weights(finished.output) == weights(undisturbed)


def poison(monkeypatch, *, batch, factor):
    """Multiplies the image embeddings of one batch, the first being 1."""
    original, count = loops.rows_of, itertools.count(1)

    def poisoned(taken, kind):
        rows = original(taken, kind)
        return rows | {"zimg": rows["zimg"] * np.float32(factor)} if next(count) == batch else rows

    monkeypatch.setattr(loops, "rows_of", poisoned)


def test_a_diverging_run_stops_with_advice_and_keeps_the_checkpoint_before(recipe, monkeypatch, tmp_path):
    poison(monkeypatch, batch=6, factor=np.nan)
    with pytest.raises(DivergedError) as raised:
        train(recipe())
    said = str(raised.value)
    assert "step 6: the loss is nan and the gradient norm nan; the last finite step was 5 (loss " in said
    assert "optimizer.learning_rate = 0.01" in said
    assert "the checkpoint of step 4 is from before. Try a tenth of the learning rate" in said
    assert sorted(path.name for path in (tmp_path / "out" / "checkpoints").iterdir()) == ["4"]
    # JSON has no NaN; the last line says that there was no number.
    assert json.loads((tmp_path / "out" / "metrics.jsonl").read_text().splitlines()[-1])["loss"] is None


def test_a_state_that_is_not_finite_is_never_saved(recipe, monkeypatch, tmp_path):
    """The poison comes at the very step of a checkpoint."""
    poison(monkeypatch, batch=4, factor=np.inf)
    with pytest.raises(DivergedError, match="no checkpoint was written yet"):
        train(recipe())
    assert list((tmp_path / "out" / "checkpoints").iterdir()) == []


@pytest.mark.parametrize("every", [4, 1000])
def test_nor_one_whose_figures_are_finite_but_whose_parameters_are_not(recipe, monkeypatch, tmp_path, every):
    """The update was too long; the loss would be NaN a step later, and the run could never go on from here."""
    original = Learning.make_step

    def make_step(self, like):
        step = original(self, like)

        def too_long(state, locked, batch):
            state, figures = step(state, locked, batch)
            factor = np.float32(np.inf if int(state.step) in (4, 12) else 1)
            return state._replace(trained=jax.tree.map(lambda x: x * factor, state.trained)), figures

        return too_long

    monkeypatch.setattr(Learning, "make_step", make_step)
    steps = 12 if every == 4 else 4  # at a checkpoint, or in the end
    with pytest.raises(
        DivergedError, match=r"step 4: the loss is \d.*; but it left parameters that are not finite; the"
    ):
        train(recipe(checkpoint={"every": every}, schedule={"steps": steps}))
    assert list((tmp_path / "out" / "checkpoints").iterdir()) == []
    assert not (tmp_path / "out" / "model").exists()


def test_fewer_steps_than_are_done_are_refused(recipe, undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path / "out")
    before = (tmp_path / "out" / "run.json").read_bytes(), weights(tmp_path / "out")
    with pytest.raises(ConfigError, match="holds a run that has done 12 steps, and schedule.steps is 5. Set it to 12"):
        train(recipe(schedule={"steps": 5}))
    assert ((tmp_path / "out" / "run.json").read_bytes(), weights(tmp_path / "out")) == before


def test_fresh_that_was_killed_at_its_worst_moment_does_not_lock_the_folder(recipe, undisturbed, monkeypatch, tmp_path):
    """What the run had written is gone, what the next one writes is not there yet."""
    shutil.copytree(undisturbed, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")

    def die(*arguments):
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr(workplace, "write_text", die)
        with pytest.raises(SystemExit, match="killed"):
            train(recipe(), fresh=True)
    assert not (tmp_path / "out" / "model").exists()
    assert train(recipe(), fresh=True).step == 12
    assert weights(tmp_path / "out") == weights(undisturbed)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_of_several_processes_all_say_for_which_signal_they_end(monkeypatch):
    """Only one of two was told; the other must not call the run finished."""
    told = []

    def gather(mine):
        told.append(mine.item())
        return np.asarray([mine, 1])  # the other one got SIGTERM

    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr(loops.multihost_utils, "process_allgather", gather)
    mine, interrupted = Stop(), Stop()
    interrupted.requested = "SIGINT"
    assert not loops._agreed(mine, 7)
    assert loops._agreed(mine, 8)
    assert loops._agreed(interrupted, 16)
    assert (mine.requested, interrupted.requested) == ("SIGTERM", "SIGINT")
    assert told == [0, 2]


def test_a_batch_larger_than_the_corpus_leaves_the_folder_and_its_run_alone(recipe, undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    for output, fresh in (("new", False), ("out", True)):
        with pytest.raises(ConfigError, match=r"batch.size is 13 and pairs.csv has 12 images with captions"):
            train(recipe(output, batch={"size": 13}), fresh=fresh)
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before
    assert not (tmp_path / "new" / "run.json").exists()


@pytest.mark.parametrize(
    ("head", "computed", "stored"),
    [("none", [8, 0, 0], [True, False, False]), ("linear", [8, 8, 8], [False, False, False])],
)
def test_a_suites_pictures_are_embedded_once_unless_a_head_on_them_learns(
    recipe, monkeypatch, tmp_path, head, computed, stored
):
    """Such a head is another one each time: what is stored would never be used again."""
    monkeypatch.setenv("LIT_CACHE", str(tmp_path / "cache"))
    suite = save_folders(tmp_path / "suite", pictures(8), [0, 1, 2, 3] * 2)
    original, timings, written = suites.evaluate, [], []

    def content():
        return {path: path.stat().st_size for path in (tmp_path / "cache" / "embeddings").rglob("*")}

    def evaluate(*arguments, **options):
        before = content()
        report = original(*arguments, **options)
        timings.append(report.timing)
        written.append(content() != before)
        return report

    monkeypatch.setattr(suites, "evaluate", evaluate)
    result = train(recipe(model={"image_head": head}, evaluate={"suites": [str(suite)], "every": 4}))
    assert [timing.computed for timing in timings] == computed
    assert [timing.computed + timing.reused for timing in timings] == [8, 8, 8]
    assert written == stored
    of_suite = [record for record in read_metrics(result.output / "metrics.jsonl") if f"suite/{suite}" in record]
    assert [record["step"] for record in of_suite] == [4, 8]
    assert result.suites.keys() == {str(suite)}


def test_the_plan_writes_nothing_and_counts_right(recipe, tmp_path):
    config = recipe(schedule={"steps": 30})
    prepared = prepare(config)
    plan = plan_of(prepared)
    assert not (tmp_path / "out").exists()
    assert (plan.images, plan.captions, plan.steps, plan.pairs, plan.epochs) == (12, 24, 30, 240, 20.0)
    everything = lit.checkpoints.flatten(prepared.start.params)
    assert plan.trained + plan.locked == sum(array.size for array in everything.values())
    assert plan.locked == sum(array.size for name, array in everything.items() if name.startswith("img/"))
    assert plan.state_bytes == 4 * (3 * plan.trained + 3)  # parameters, Adam's two moments, three counters
    assert plan.step_bytes > plan.state_bytes
    assert plan.seconds_per_step > 0
    text = str(plan)
    assert f"{plan.trained:,} trained, {plan.locked:,} locked" in text
    assert "240 (20.0 times each image)" in text


def test_a_plan_that_is_fresh_begins_at_the_first_step(recipe, undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path / "out")
    prepared = prepare(recipe(schedule={"steps": 30}))
    going_on, anew = (plan_of(prepared, measure=False, fresh=fresh) for fresh in (False, True))
    assert (going_on.first_step, anew.first_step) == (12, 0)
    assert "going on at 12" in str(going_on)
    assert "going on" not in str(anew)
    assert (tmp_path / "out" / "model").is_dir()
