"""`lit eval`: a model on a labelled dataset, with a figure that can be compared."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from lit.cli.compare import compare
from lit.cli.completion import NameOrPath
from lit.cli.evaluation_output import emit_report, prepare_targets, say_doubts, write_files
from lit.cli.help import HelpfulCommand, HelpfulGroup
from lit.cli.model_options import ModelChoice, keep_compiled_programs, model_options
from lit.cli.suites import suites


class _DefaultCommand(HelpfulGroup):
    """A group whose first word may be a suite: then it is `run` that is meant."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the word in."""
        completing = ctx.resilient_parsing and not args
        if not completing and (not args or args[0] not in self.commands):
            args = ["run", *(args or ["--help"])]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Commands, the names of suites, and paths where no name fits."""
        commands = super().shell_complete(ctx, incomplete)
        suites = NameOrPath("suites").shell_complete(ctx, ctx, incomplete)  # pyright: ignore[reportArgumentType]
        return commands + [item for item in suites if item.type == "plain" or not commands]


class _Run(HelpfulCommand):
    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Overrides: nobody types the word `run`."""
        formatter.write_usage("lit eval", "[OPTIONS] SUITE")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Overrides: the other commands of the group."""
        with formatter.section("More"):
            formatter.write_dl(
                [
                    ("lit eval suites", "The suites there are, with their datasets and published figures."),
                    (
                        "lit eval compare A B",
                        "Whether two reports may be compared, and whether their difference is chance.",
                    ),
                ]
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Files:
    """Where results go, beside standard output."""

    output: Path | None
    html: Path | None
    gap_image: Path | None


_FILE = click.Path(path_type=Path)


@click.command(
    name="run",
    hidden=True,
    cls=_Run,
    examples=(
        ("lit eval cifar10 --data-dir ~/tensorflow_datasets", "a suite, prepared by tfds"),
        ("lit eval cifar100 --protocol lit-colab", "as a published protocol has it"),
        ("lit eval gtsrb --data signs/ --html report.html", "pictures in class folders"),
        ("lit eval my-pictures/", "no suite: folders name the classes"),
    ),
)
@click.argument("suite", type=NameOrPath("suites"))
@click.option("--data", metavar="PATH", help="A folder of class folders, a manifest (.csv .tsv .jsonl .parquet), or "
              "webdataset archives ('x-{000..009}.tar'), in the place of tfds.")  # fmt: skip
@click.option("--data-dir", metavar="DIR", help="Where tfds keeps prepared datasets; gs:// works.")
@click.option("--reader", type=click.Choice(["auto", "tf", "data-source"]), default="auto", show_default=True,
              help="How tfds is read; data-source does without TensorFlow.")  # fmt: skip
@click.option("--split", metavar="SPLIT", help="In the place of the suite's, such as 'test[:500]'.")
@click.option("--protocol", type=click.Choice(["lit-colab", "big-vision", "clip"]),
              help="A published way from words to class embeddings.  [default: the suite's]")  # fmt: skip
@click.option("--prompts", type=NameOrPath("templates"), metavar="NAME|FILE", help="In the place of the protocol's.")
@click.option("--classes", type=NameOrPath("classes"), metavar="NAME|FILE", help="Class names, in the suite's order.")
@click.option("--skip-bad", is_flag=True, help="Leave out images that cannot be decoded, and name them.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N images.")
@click.option(
    "--few-shot",
    metavar="N,N,...",
    help="Also learn from N examples a class: 1,5,10,25 say. Embeds the whole training split.",
)
@click.option("--explain-gap", is_flag=True, help="Also measure what each choice costs, one at a time.")
@click.option("--towards", type=click.Choice(["lit-colab", "big-vision", "clip"]),
              help="With --explain-gap: step by step to this protocol.")  # fmt: skip
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Save the whole report: FILE.json.")
@click.option("--html", type=_FILE, metavar="FILE", help="Save the report as a page: FILE.html.")
@click.option("--gap-image", type=_FILE, metavar="FILE", help="Save the explanation as a picture: FILE.svg or .png.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@click.option("--fresh", is_flag=True, help="Take no stored embeddings and store none.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
@click.option("--distributed", is_flag=True, help="One of several processes, found by Cloud TPU or Slurm.")
@click.option("--coordinator", metavar="HOST:PORT", help="One of several processes: where process 0 is.")
@click.option("--processes", type=click.IntRange(min=1), metavar="N", help="With --coordinator: how many.")
@click.option("--process", type=click.IntRange(min=0), metavar="I", help="With --coordinator: which this one is.")
@model_options
def evaluate(
    choice: ModelChoice, suite: str, data: str | None, data_dir: str | None, reader: str, split: str | None,
    protocol: str | None, prompts: str | None, classes: str | None, skip_bad: bool, limit: int | None,
    few_shot: str | None, explain_gap: bool, towards: str | None, output: Path | None, html: Path | None,
    gap_image: Path | None, overwrite: bool, fresh: bool, as_json: bool, distributed: bool,
    coordinator: str | None, processes: int | None, process: int | None,
) -> None:  # fmt: skip
    """Measure a model on labelled images, without training.

    SUITE is one of `lit eval suites`, a .toml file, or data itself: a folder of class folders, a manifest, an archive.
    Figures come with 95 % intervals; the report says everything that determined them, under one seal.

    Image embeddings are kept: an interrupted run continues, and other prompts on the same images need seconds.
    """
    shots = _shots(few_shot)
    if (towards or gap_image) and not explain_gap:
        raise click.UsageError("--towards and --gap-image belong to --explain-gap; add it.")
    files = Files(output=output, html=html, gap_image=gap_image)
    prepare_targets(files, overwrite=overwrite)
    keep_compiled_programs()
    from lit.evaluation import Options, parallel, plan, run
    from lit.evaluation import explain_gap as explain

    if distributed or coordinator:
        parallel.initialize(coordinator, processes, process)
    elif processes is not None or process is not None:
        raise click.UsageError("--processes and --process belong to --coordinator; add it, or use --distributed.")
    # All of it together: an error in one of several processes ends the others, too.
    with parallel.together():
        planned = plan(
            suite, data=data, data_dir=data_dir, reader=reader, split=split, few_shot=bool(shots), classes=classes,  # pyright: ignore[reportArgumentType]
            protocol=protocol, prompts=prompts,
        )  # fmt: skip
        model = choice.load()
        options = Options(
            skip_bad=skip_bad, limit=limit, few_shot=shots, batch_size=choice.batch_size, keep=not fresh,
            progress=not choice.quiet,
        )  # fmt: skip
        outcome = run(model, planned, options)
        gap = explain(model, planned, options, outcome, towards=towards) if explain_gap else ()
        if parallel.is_first_process():
            outcome = dataclasses.replace(outcome, report=dataclasses.replace(outcome.report, gap=gap))
            write_files(files, model, planned, outcome, gap, quiet=choice.quiet)
            say_doubts(outcome.report)
            emit_report(outcome.report, gap, as_json=as_json)


def _shots(few_shot: str | None) -> tuple[int, ...]:
    if few_shot is None:
        return ()
    try:
        shots = tuple(sorted({int(word) for word in few_shot.split(",")}))
    except ValueError:
        shots = ()
    if not shots or min(shots) < 1:
        raise click.UsageError(f"--few-shot is {few_shot!r}; write whole numbers with commas, such as 1,5,10,25.")
    return shots


@click.group(name="eval", cls=_DefaultCommand, examples=())
def evaluation() -> None:
    """Measure a model on a labelled dataset, and compare measurements."""


for command in (evaluate, compare, suites):
    evaluation.add_command(command)
