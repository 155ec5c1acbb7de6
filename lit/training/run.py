"""`train`: a recipe from its first line to a model that `lit.load` opens."""

import logging
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import jax

from lit.captions import Batches, CachedPairs, Corpus
from lit.captions.duplicates import Duplicates, duplicates
from lit.errors import ConfigError
from lit.evaluation.meeting import exchange
from lit.progress import duration
from lit.training.card import words_of
from lit.training.checkpoints import Checkpoints
from lit.training.finish import finish, host_params
from lit.training.loop import Surroundings, run_steps
from lit.training.mesh import everywhere
from lit.training.metrics_log import read_metrics
from lit.training.prepare import make_batches, prepare, read_pairs
from lit.training.recipe import TrainConfig
from lit.training.reporter import Reporter
from lit.training.result import Result, how_far, reached
from lit.training.signals import Stop, Terminated, stop_on_signals
from lit.training.state import TrainState, sums
from lit.training.suites import evaluate_suites
from lit.training.workplace import CHECKPOINTS, METRICS, claim, open_workplace, record_recipe, saved_step

_log = logging.getLogger("lit")


def train(config: TrainConfig, *, fresh: bool = False, progress: bool = False, offline: bool | None = None) -> Result:
    """Runs a recipe, or goes on with it where its folder says that it was.

    SIGTERM and Ctrl-C finish the step and save; a run that is killed goes on from its last checkpoint.  However a run
    was interrupted, it ends with bit for bit the parameters of one that was not, on the same devices.

    Args:
      config: from `lit.training.load_recipe`, or made in Python.
      fresh: forget the run that is in the folder, and begin anew.
      progress: show it on standard error.
      offline: True never touches the network; None asks the environment variable LIT_OFFLINE.

    Returns:
      What it came to.  After SIGTERM `stopped` says so; the same call goes on.

    Raises:
      KeyboardInterrupt: Ctrl-C; what was done is saved, and the message says how far.
      ConfigError: the recipe contradicts itself, or what the folder's run was begun with; a batch larger than the
        corpus.
      DatasetError, ImageError, CheckpointError, UnknownNameError: something that the recipe names cannot be read.
      DivergedError: the loss is no number any more.
      OutputError: the folder holds something else, or cannot be written.
    """
    first = jax.process_index() == 0
    with stop_on_signals() as stop:
        try:
            with open_workplace(config, fresh=fresh, write=first) as changes:
                for change in changes:
                    _log.warning("the run goes on with another recipe: %s", change)
                training = _Training(config, stop, progress=progress and first, writes=first, offline=offline)
                exchange("all have looked at the folder")
                if first:
                    claim(config, fresh=fresh)
                exchange("the folder is claimed")
                result = training.run()
        except Terminated:
            result = Result(
                output=Path(config.output), model=None, step=saved_step(Path(config.output)),
                steps=config.schedule.steps, loss=None, accuracy=None, stopped="SIGTERM",
            )  # fmt: skip
    if result.stopped == "SIGINT":
        raise KeyboardInterrupt(how_far(result))
    return result


class _Training:
    """One call of `train`."""

    def __init__(self, config: TrainConfig, stop: Stop, *, progress: bool, writes: bool, offline: bool | None) -> None:
        self._config, self._stop, self._progress, self._writes = config, stop, progress, writes
        self._output = Path(config.output)
        self._prepared = prepare(config, offline=offline)
        self._reporter = Reporter(self._output, config.schedule.steps, shows=progress, writes=writes)

    def run(self) -> Result:
        pairs = read_pairs(self._prepared, progress=self._progress)
        twice = duplicates(pairs, self._config.batch.size, canonicalize=self._config.data.canonicalize)
        self._say_what_there_is(pairs, twice)
        with ExitStack() as stack:
            batches = stack.enter_context(closing(make_batches(self._prepared, pairs)))
            checkpoints = stack.enter_context(
                Checkpoints(self._output / CHECKPOINTS, keep=self._config.checkpoint.keep)
            )
            learning, locked = self._prepared.learning, self._prepared.locked
            fixed = sums(locked) if locked else {}
            state = self._begin(checkpoints, batches, fixed)
            if self._writes:
                record_recipe(self._config)
            stack.enter_context(self._reporter.recording(int(state.step)))
            around = Surroundings(
                checkpoints=checkpoints,
                report=self._reporter.report,
                evaluate=self._evaluate,
                stop=self._stop,
                kept={"locked": dict(fixed)},
            )
            locked = jax.device_put(locked, everywhere(learning.mesh))
            self._stop.patient = True
            step = learning.make_step(state)
            state = run_steps(self._prepared, step, state, locked, batches, around)
            self._reporter.end_line()
            self._stop.patient = False
            if batches.replaced.total:
                _log.warning("%s", batches.replaced)
            return self._end(state, pairs, twice)

    def _begin(self, checkpoints: Checkpoints, batches: Batches, fixed: Mapping[str, int]) -> TrainState:
        """The newest sound state, with the batches at its place; or the first."""
        learning, trained = self._prepared.learning, self._prepared.trained
        restored = checkpoints.restore(learning.abstract_state(trained))
        if restored is None:
            return learning.initial_state(trained)
        for damage in restored.damaged:
            _log.warning(
                "the checkpoint of %s is damaged and was moved to %s-damaged; the one before it is used",
                damage,
                checkpoints.directory,
            )
        if restored.record["locked"] != fixed:
            raise ConfigError(
                f"{self._output} holds a run whose locked parameters were others: model.image or model.text is no "
                "longer what it was. Bring back the files it began with, name another output, or begin anew with "
                "--fresh."
            )
        done, steps = int(restored.state.step), self._config.schedule.steps
        if done > steps:
            raise ConfigError(
                f"{self._output} holds a run that has done {done:,} steps, and schedule.steps is {steps:,}. Set it to "
                f"{done:,} or more, name another output, or begin anew with --fresh."
            )
        batches.restore(restored.record["data"])
        self._reporter.say(f"going on at step {done:,} of {steps:,}")
        return restored.state

    def _evaluate(self, state: TrainState) -> None:
        """The suites of the recipe, on the way."""
        self._reporter.end_line()
        params = host_params(self._prepared, state)
        for suite, found in evaluate_suites(self._prepared, params, progress=self._progress).items():
            self._reporter.say(f"step {int(state.step):,}: {suite} {100 * found.accuracy:.1f} %")
            self._reporter.report({"step": int(state.step), f"suite/{suite}": found.accuracy})

    def _end(self, state: TrainState, pairs: CachedPairs | Corpus, twice: Duplicates) -> Result:
        steps, records = self._config.schedule.steps, read_metrics(self._output / METRICS)
        loss, accuracy = reached(records)
        done, model, reports = int(state.step), None, {}
        if done >= steps:
            params = host_params(self._prepared, state)
            reports = evaluate_suites(self._prepared, params, progress=self._progress)
            if self._writes:
                model = finish(self._prepared, params, pairs, twice, records, reports)
        return Result(
            output=self._output,
            model=model,
            step=done,
            steps=steps,
            loss=loss,
            accuracy=accuracy,
            suites={suite: report.accuracy for suite, report in reports.items()},
            stopped=self._stop.requested if done < steps else "",
        )

    def _say_what_there_is(self, pairs: CachedPairs | Corpus, twice: Duplicates) -> None:
        if pairs.left_out.total or pairs.left_out.captions:
            _log.warning("%s: %s", pairs.name, pairs.left_out)
        if twice.texts or twice.images:
            self._reporter.say(f"{pairs.name}: {words_of(twice)}")
        if isinstance(pairs, CachedPairs):
            self._reporter.say(
                f"{len(pairs):,} images embedded in {duration(pairs.seconds)}: {pairs.computed:,} computed, "
                f"{pairs.reused:,} stored before"
            )
