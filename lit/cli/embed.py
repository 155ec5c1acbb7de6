"""`lit embed`: pictures to vectors in a file; what is done is never done again."""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lit.cli.help import HelpfulCommand
from lit.cli.model_options import ModelChoice, model_options
from lit.cli.output import check_target, emit_json
from lit.cli.say import say
from lit.errors import ImageError, InputError, OutputError

if TYPE_CHECKING:
    from lit.cli.partial import MadeBy, Partial
    from lit.model import Model


@click.command(
    cls=HelpfulCommand,
    examples=(
        ("lit embed photos/ -o photos.npz", "a folder and all below it"),
        ("lit embed *.jpg -o photos.parquet --skip-bad", "leave out bad ones"),
        ("lit embed photos/ -o photos.npz", "again: only what is new"),
    ),
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATHS...")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Where the embeddings go: FILE.npz or FILE.parquet.")  # fmt: skip
@click.option("--skip-bad", is_flag=True, help="Leave out pictures that cannot be used, instead of writing no FILE.")
@click.option("--overwrite", is_flag=True, help="Begin anew, whatever FILE or an interrupted run holds.")
@click.option("--json", "as_json", is_flag=True, help="Print a summary for programs: one JSON object.")
@model_options
def embed(
    choice: ModelChoice, paths: tuple[Path, ...], output: Path, skip_bad: bool, overwrite: bool, as_json: bool
) -> None:
    """Embed pictures into a file.

    PATHS are pictures, and folders that are walked. FILE holds a unit vector for each picture, with its path and the
    SHA-256 of its bytes, and appears when it is complete.

    An interrupted run leaves FILE.partial: the same command continues there. Where FILE exists, only pictures that are
    not in it are computed. A picture that cannot be used is named on standard error, and then FILE is not written,
    unless --skip-bad is given.
    """
    from lit.cli import embeddings
    from lit.cli.partial import MadeBy, Partial
    from lit.images import find_images

    check_target(output, embeddings.SUFFIXES)
    embeddings.require_writer(output)
    files = list(dict.fromkeys(find_images(paths)))
    model = choice.load()
    made_by = MadeBy(model=model.name, precision=model.precision, fingerprint=model.fingerprint, dim=model.dim)
    finished = None if overwrite else _finished(output, made_by)
    with Partial.open(output, made_by, restart=overwrite) as partial:
        for digests, rows in finished or ():
            new = {digest: i for i, digest in enumerate(digests) if digest not in partial}
            partial.append(list(new), rows[list(new.values())])
        work = Work(files, partial)
        try:
            work.compute(model, choice)
        except KeyboardInterrupt:
            # Counted in the file: the signal may fall between writing rows and remembering them.
            done = partial.recount()
            raise KeyboardInterrupt(f"{done} pictures are done, and the same command continues there") from None
        _report_bad(work, output, skip_bad)
        embeddings.write(output, made_by, [str(p) for p in work.good], list(work.good.values()), partial.rows)
        partial.discard()
    _summarise(work, output, made_by, quiet=choice.quiet, as_json=as_json)


def _finished(output: Path, made_by: "MadeBy") -> Iterator | None:
    """The rows of an output that is there already.

    Raises:
      OutputError: it is not ours, or of another model.
    """
    from lit.cli import embeddings

    if not output.exists():
        return None
    found = embeddings.read(output)
    if found is not None and found[0] == made_by.fingerprint:
        return found[1]
    what = (
        "was not written by `lit embed`" if found is None else "holds embeddings of another model, precision or version"
    )
    raise OutputError(f"{output} {what}; pass --overwrite to replace it, or name another -o.")


class Work:
    """The pictures of one run: what is to be computed, and what became of each.

    Args:
      files: without repetitions, in the order of the output.
      partial: takes the embeddings.

    Attributes:
      computed: how many were computed in this run.
    """

    def __init__(self, files: list[Path], partial: "Partial") -> None:
        self.files, self.computed = files, 0
        self._partial = partial
        self._digest_of: dict[Path, bytes] = {}
        self._sent: list[bytes] = []
        self._reason: dict[Path | bytes, str] = {}

    @property
    def good(self) -> dict[Path, bytes]:
        """The pictures that have an embedding, in order, with the SHA-256 of their bytes."""
        return {path: digest for path, digest in self._digest_of.items() if digest in self._partial}

    @property
    def bad(self) -> dict[Path, str]:
        """The others, with what is wrong with them."""
        why = {path: self._reason.get(self._digest_of.get(path, path)) for path in self.files}
        return {path: reason for path, reason in why.items() if reason is not None}

    def compute(self, model: "Model", choice: ModelChoice) -> None:
        """Embeds what is not done; each batch is kept as soon as it is there."""
        from lit.progress import progress

        failures: list[ImageError] = []
        with progress("embedding images", len(self.files), enabled=not choice.quiet, unit="images") as advance:
            contents = self._to_do(advance)
            for first in itertools.islice(contents, 1):
                rest = itertools.chain([first], contents)
                for index, rows in model.iter_images(rest, batch_size=choice.batch_size, failures=failures):
                    self._partial.append([self._sent[i] for i in index.tolist()], rows)
                    self.computed += len(rows)
                    advance(len(rows))
        for error in failures:
            assert error.index is not None
            self._reason[self._sent[error.index]] = error.reason

    def _to_do(self, advance: Callable[[int], None]) -> Iterator[bytes]:
        """The bytes of pictures that are not done; what is hashed is what is computed, even if the file changes."""
        asked: set[bytes] = set()
        for path in self.files:
            try:
                content = path.read_bytes()
            except OSError as error:
                self._reason[path] = error.strerror or str(error)
                continue
            digest = hashlib.sha256(content).digest()
            self._digest_of[path] = digest
            if digest in self._partial or digest in asked:
                advance(1)
            else:
                asked.add(digest)
                self._sent.append(digest)
                yield content


def _report_bad(work: Work, output: Path, skip_bad: bool) -> None:
    bad = work.bad
    for path, reason in bad.items():
        say(f"{'left out' if skip_bad else 'cannot use'} {path}: {reason}")
    of = f"{len(bad)} of {len(work.files)} pictures cannot be used (see above), so {output} was not written"
    if bad and len(bad) == len(work.files):
        raise InputError(f"{of}; give at least one picture that can be read.")
    if bad and not skip_bad:
        raise InputError(f"{of}; pass --skip-bad to leave them out. The others are done and not computed again.")


def _summarise(work: Work, output: Path, made_by: "MadeBy", *, quiet: bool, as_json: bool) -> None:
    images = len(work.good)
    if as_json:
        emit_json({
            "output": str(output),
            "images": images,
            "computed": work.computed,
            "dim": made_by.dim,
            "model": made_by.model,
            "precision": made_by.precision,
            "fingerprint": made_by.fingerprint,
            "left_out": [{"image": str(path), "error": reason} for path, reason in work.bad.items()],
        })  # fmt: skip
    elif not quiet:
        before = f", {images - work.computed} of them known before" if work.computed < images else ""
        left_out = f"; {len(work.bad)} left out" if work.bad else ""
        say(f"{output}: {images} x {made_by.dim} by {made_by.model}{before}{left_out}")
