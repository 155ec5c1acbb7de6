"""Everything about an evaluation that can be wrong before a model is loaded: suite, dataset, labels, words."""

import dataclasses
from pathlib import Path

from lit.datasets import Dataset, Reader, local_dataset, tfds_dataset
from lit.errors import ConfigError, DatasetError
from lit.evaluation.words import Prompts, Words, prompts_of, spoken_of, words_of
from lit.model import Model
from lit.prompts import load_classes
from lit.protocols import Classes, prompt_set_of, protocol_of
from lit.suites import LabelMap, Suite, align, load_suite, suite_names


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be measured.

    Attributes:
      suite: with every choice.
      dataset: the split that is scored.
      train: the split that few-shot learns from, where one was asked for.
      words: the classes in words; None for retrieval.
      label_map: from the dataset's labels to class positions; None for retrieval.
      altered: ways in which it departs from the suite and protocol that it names, in words.
    """

    suite: Suite
    dataset: Dataset
    train: Dataset | None = None
    words: Words | None = None
    label_map: LabelMap | None = None
    altered: tuple[str, ...] = ()


def plan(
    suite: str | Path | Suite,
    *,
    data: str | Path | None = None,
    data_dir: str | Path | None = None,
    reader: Reader = "auto",
    split: str | None = None,
    few_shot: bool = False,
    classes: Classes | None = None,
    protocol: str | None = None,
    prompts: Prompts | None = None,
    renormalize: bool | None = None,
    canonicalize: bool | None = None,
) -> Plan:
    """Opens the dataset and checks that suite, labels and words belong together.

    Args:
      suite: the name of a packaged suite, a path to a TOML file, a `Suite`; or a folder, manifest or archive of
        pictures that no suite describes, whose own label names become the class names.
      data: a folder of class folders, a manifest (.csv, .tsv, .jsonl, .parquet) or webdataset archives (.tar) to take
        in the place of tfds.
      data_dir: where tfds keeps prepared datasets; without it, where tfds looks by itself.
      reader: how tfds is read: "tf" (tf.data), "data-source" (no TensorFlow), or "auto", by the files that are there.
      split: in the place of the suite's ("test[:500]").
      few_shot: open the training split, too.
      classes: in the place of the suite's class list, in the same order.
      protocol, prompts, renormalize, canonicalize: override the suite's; see `lit.ZeroShotClassifier`.

    Raises:
      UnknownNameError: no such suite, protocol, prompt set or class list.
      DatasetError: the dataset is not there, is not prepared, or is not what the suite says.
      ConfigError: the arguments contradict each other.
      PromptError: the classes or prompts cannot be used.
    """
    opened: Dataset | None = None
    if not isinstance(suite, Suite) and _is_data(suite):
        if data is not None:
            raise ConfigError(f"{suite} is data and not a suite, and data={data} names other data; give one of them.")
        data = suite
        opened = local_dataset(suite)
        suite = suite_of(opened, Path(suite))
    elif not isinstance(suite, Suite):
        suite = load_suite(suite)
    if data is not None:
        _refuse_unused("tfds, and the data are files", data_dir=data_dir, split=split, reader=_unless_auto(reader))
    dataset = opened or _open(suite, split or suite.split, data, data_dir, reader)
    train = _open_train(suite, data, data_dir, reader) if few_shot else None
    altered = _altered_data(suite, opened is None and data is not None, split)
    if suite.task == "retrieval":
        _refuse_unused(
            "class names, and retrieval has none",
            classes=classes, protocol=protocol, prompts=prompts, renormalize=renormalize, canonicalize=canonicalize,
        )  # fmt: skip
        return Plan(suite=suite, dataset=dataset, altered=altered)
    chosen = classes if classes is not None else suite.classes or _readable(dataset)
    words = words_of(
        suite, chosen, protocol=protocol, prompts=prompts, renormalize=renormalize, canonicalize=canonicalize
    )
    # The guard goes by the suite's own names: what the classes are called in a prompt does not move a label.
    own = tuple(load_classes(suite.classes) if suite.classes else dataset.label_names or ())
    _check_own_names(words, suite, own if suite.classes else _readable(dataset))
    label_map = align(suite, own, dataset.label_names)
    if train is not None and train.label_names != dataset.label_names:
        raise DatasetError(
            f"{train.name}: the splits {train.split!r} and {dataset.split!r} name their labels differently."
        )
    return Plan(
        suite=suite, dataset=dataset, train=train, words=words, label_map=label_map,
        altered=altered + _altered_words(words, suite),
    )  # fmt: skip


def _unless_auto(reader: str) -> str | None:
    return None if reader == "auto" else reader


def _refuse_unused(why: str, **given: object) -> None:
    """Raises ConfigError for arguments that would have no effect."""
    names = [name for name, value in given.items() if value is not None]
    if names:
        raise ConfigError(f"{' and '.join(names)}: only for {why}; leave out what would have no effect.")


def _check_own_names(words: Words, suite: Suite, known: tuple[str, ...]) -> None:
    """Class names that were given stand in the order of those they replace.

    Raises:
      ConfigError: they are not as many, or are the known ones in another order, which is surely a mistake.
    """
    if len(known) != len(words.class_names):
        raise ConfigError(
            f"{len(words.class_names)} classes were given and suite {suite.name!r} has {len(known)}; give one for "
            "each, in its order."
        )
    if words.class_names != known and sorted(words.class_names) == sorted(known):
        first = next(i for i, (a, b) in enumerate(zip(words.class_names, known, strict=True)) if a != b)
        raise ConfigError(
            f"the classes given are those of suite {suite.name!r} in another order: place {first} is "
            f"{words.class_names[first]!r} and should be {known[first]!r}. Give them in the suite's order, or leave "
            "them out."
        )


def _altered_data(suite: Suite, own_data: bool, split: str | None) -> tuple[str, ...]:
    found = []
    if split is not None and split != suite.split:
        found.append(f"split: {split}")
    if own_data and suite.dataset:
        found.append("images: files of your own in the place of tfds")
    return tuple(found)


def _altered_words(words: Words, suite: Suite) -> tuple[str, ...]:
    if not suite.classes:
        return ()  # no suite describes this data, so nothing is altered
    rule, default = protocol_of(words.protocol), prompt_set_of(prompts_of(suite, words.protocol))
    found = [] if words.spoken == spoken_of(suite.classes) else ["class names: your own"]
    if words.prompts.templates != default.templates:
        found.append(f"prompts: {words.prompts.name}")
    if words.renormalize != rule.renormalize:
        found.append(f"renormalize: {words.renormalize}")
    if words.canonicalize != rule.canonicalize:
        found.append(f"canonicalize: {words.canonicalize}")
    return tuple(found)


def as_suite_wants(model: Model, suite: Suite) -> Model:
    """The model with the suite's way of resizing, where the suite prescribes one."""
    return model if suite.resize == "model" else model.with_preprocess(resize=suite.resize)


def suite_of(dataset: Dataset, path: Path) -> Suite:
    """A suite for pictures that none describes: their own label names, CLIP's rule and its seven prompts.

    Raises:
      DatasetError: there are no label names to make classes of, and no captions either.
    """
    if dataset.label_names is not None:
        return Suite(
            name=path.stem, title=path.name, prompts="clip-best", split=dataset.split, source="the data itself"
        )
    first = next(iter(dataset.examples()), None)
    if first is not None and first.texts:
        return Suite(name=path.stem, title=path.name, task="retrieval", metric="image_to_text_r1", split=dataset.split)
    raise DatasetError(
        f"{path} has neither label names nor captions; put the pictures into one folder for each class, or write a "
        "manifest with the columns image and label (a name), or image and text."
    )


def _is_data(suite: str | Path) -> bool:
    if isinstance(suite, str) and suite in suite_names():
        return False
    path = Path(suite)
    return path.suffix != ".toml" and ("{" in str(suite) or path.exists())


def _readable(dataset: Dataset) -> tuple[str, ...]:
    """Label names as words: underscores are spaces."""
    return tuple(" ".join(name.replace("_", " ").split()) for name in dataset.label_names or ())


def _open(suite: Suite, split: str, data: str | Path | None, data_dir: str | Path | None, reader: Reader) -> Dataset:
    if data is not None:
        return local_dataset(data)
    if not suite.dataset:
        raise DatasetError(
            f"suite {suite.name!r} has no dataset in tfds; give its pictures as data (--data): a folder with one "
            "folder for each class, a manifest, or webdataset archives."
        )
    return tfds_dataset(
        suite.dataset,
        split=split,
        data_dir=data_dir,
        reader=reader,
        image=suite.image,
        label="" if suite.task == "retrieval" else suite.label,
        identity=suite.identity,
        captions=suite.captions,
    )


def _open_train(suite: Suite, data: str | Path | None, data_dir: str | Path | None, reader: Reader) -> Dataset:
    if suite.any_hit:
        raise ConfigError(f"suite {suite.name!r} has images with several labels; few-shot needs one for each.")
    if data is not None or not suite.train_split or suite.task == "retrieval":
        why = "data has one split" if data is not None else f"suite {suite.name!r} has no training split"
        raise ConfigError(f"few-shot needs examples to learn from, and {why}; use a tfds suite with a train_split.")
    return _open(suite, suite.train_split, None, data_dir, reader)
