"""`lit train`: from pictures with captions to a model of one's own."""

import dataclasses
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lit.cli.help import HelpfulCommand
from lit.cli.model_options import keep_compiled_programs
from lit.cli.output import emit, emit_json
from lit.cli.say import say

if TYPE_CHECKING:
    from lit.training import Result


@click.command(
    cls=HelpfulCommand,
    examples=(
        ("lit train recipe.toml", "begin, or go on where it stopped"),
        ("lit train recipe.toml --dry-run", "what it would be: memory, steps, time"),
        ("lit train recipe.toml --set optimizer.learning_rate=3e-4", "with another value"),
        ("lit classify cat.jpg --model runs/my-lit/model", "the model that comes out"),
    ),
)
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a key of the recipe: "
              "section.key=value, as often as you like.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
@click.option("--fresh", is_flag=True, help="Forget the run in the output folder and begin anew.")
@click.option("--json", "as_json", is_flag=True, help="Print the result, or the plan, as one JSON object.")
@click.option("--offline", is_flag=True, help="Never touch the network.")
@click.option("--distributed", is_flag=True, help="One of several processes, found by Cloud TPU or Slurm.")
@click.option("--coordinator", metavar="HOST:PORT", help="One of several processes: where process 0 is.")
@click.option("--processes", type=click.IntRange(min=1), metavar="N", help="With --coordinator: how many.")
@click.option("--process", type=click.IntRange(min=0), metavar="I", help="With --coordinator: which this one is.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary; errors are still said.")
def train(
    recipe: Path, overrides: tuple[str, ...], dry_run: bool, fresh: bool, as_json: bool, offline: bool,
    distributed: bool, coordinator: str | None, processes: int | None, process: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Train a model on your pictures and captions.

    RECIPE is a .toml file.  The image tower can stay locked while the text tower learns to read for it (LiT). The run
    may be stopped at any time, with Ctrl-C, SIGTERM or worse: the same command goes on from its last checkpoint.

    In the output folder are then: model/, which every command takes as --model, metrics.jsonl, and curve.png.
    """
    keep_compiled_programs()
    from lit import training
    from lit.evaluation import parallel
    from lit.evaluation.packing import results_only_on_stdout

    config = training.load_recipe(recipe, overrides)
    if distributed or coordinator:
        parallel.initialize(coordinator, processes, process)
    elif processes is not None or process is not None:
        raise click.UsageError("--processes and --process belong to --coordinator; add it, or use --distributed.")
    several = parallel.shard_of_this_process()[1] > 1
    with parallel.together():
        if dry_run:
            plan = training.plan_of(training.prepare(config, offline=offline or None), fresh=fresh)
            if not parallel.is_first_process():
                return None
            return emit_json(dataclasses.asdict(plan)) if as_json else emit(str(plan))
        with results_only_on_stdout() if several else nullcontext():
            result = training.train(config, fresh=fresh, progress=not quiet, offline=offline or None)
    if parallel.is_first_process():
        _tell(result, as_json=as_json, quiet=quiet)
    return None


def _tell(result: "Result", *, as_json: bool, quiet: bool) -> None:
    from lit.training.result import how_far

    if as_json:
        record = dataclasses.asdict(result)
        emit_json({name: str(v) if isinstance(v, Path) else v for name, v in record.items()})
    if result.stopped:
        if not (as_json and quiet):  # it is no summary where nothing else says it
            say(f"stopped; {how_far(result)}.")
    elif not as_json:
        emit(str(result.model))
        if not quiet and result.loss is not None and result.accuracy is not None:
            say(
                f"{result.steps:,} steps, loss {result.loss:.4g}, in batch {100 * result.accuracy:.1f} %"
                + "".join(f", {suite} {100 * accuracy:.1f} %" for suite, accuracy in result.suites.items())
                + f". The curve is {result.output / 'curve.png'}."
            )
