"""The label guard: a dataset's labels find their classes by name, never by position."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence

from lit.errors import DatasetError
from lit.suites.labels import load_labels
from lit.suites.suite import Suite

_SHOWN = 12


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelMap:
    """Where each label of a dataset stands in the class list.

    Attributes:
      to_class: dataset label -> class position, or None where the suite does not score that label.
      words: how the two were brought together, for the seal.
    """

    to_class: tuple[int | None, ...]
    words: str

    def classes_of(self, labels: Iterable[int], *, of: str = "the dataset") -> tuple[int, ...]:
        """The class positions of an example's labels, without those that the suite does not score.

        Args:
          labels: of one example.
          of: names the example, with its dataset, for the message.

        Raises:
          DatasetError: a label that the dataset does not have.
        """
        found = []
        for label in labels:
            if not 0 <= label < len(self.to_class):
                raise DatasetError(f"{of}: label {label} is out of range; there are {len(self.to_class)} (from 0).")
            found.append(self.to_class[label])
        return tuple(position for position in found if position is not None)


def align(suite: Suite, class_names: Sequence[str], label_names: Sequence[str] | None) -> LabelMap:
    """Brings a dataset's labels and a suite's classes together.

    A label is known by the names in the suite's list of labels; without one, by the class names.  With a list, a
    dataset whose labels are all class names is understood, too.

    Args:
      suite: says which names the dataset has for the classes, and whether it may have more labels than classes.
      class_names: the suite's class list, in order.
      label_names: the dataset's own, in label order; None where it has only numbers, which are taken if the suite's
        list of labels says that they are the names ("0", "1", ...).

    Raises:
      DatasetError: the names are place holders, unknown, missing, there twice, or not as many as the classes.
    """
    listed = _listed(suite, class_names)
    if label_names is None:
        return _numbers(suite, listed, len(class_names))
    names = tuple(label_names)
    _refuse_place_holders(suite, names, listed)
    _refuse_doubles(suite, names)
    how, table = "the suite's list of labels" if suite.labels else "class name", listed
    by_class = _once(class_names)
    if not listed.keys() >= set(names) and by_class.keys() >= set(names):
        how, table = "class name", by_class
    _refuse_differences(suite, names, table, class_names)
    to_class = tuple(table.get(name) for name in names)
    left_out = to_class.count(None)
    rest = f"; {left_out} labels that the suite does not score" if left_out else ""
    return LabelMap(to_class=to_class, words=f"{len(names) - left_out} labels to classes by {how}{rest}")


def _listed(suite: Suite, class_names: Sequence[str]) -> dict[str, int]:
    """Every name that the dataset may have for a class -> the class's position."""
    known = load_labels(suite.labels) if suite.labels else tuple((name,) for name in class_names)
    if len(known) != len(class_names):
        raise DatasetError(
            f"suite {suite.name} lists {len(known)} labels, but {len(class_names)} classes; line i of the one "
            "list belongs to line i of the other."
        )
    return {name: i for i, of_class in enumerate(known) for name in of_class}


def _numbers(suite: Suite, listed: dict[str, int], count: int) -> LabelMap:
    """A dataset with numbers for labels, which the suite allows by listing them."""
    numbers = tuple(map(str, range(count)))
    if not suite.labels or not listed.keys() >= set(numbers):
        raise DatasetError(
            "the dataset has numbers for labels and no names, so nothing tells whether its order is that of suite "
            f"{suite.name}. Give label names (a manifest with names, a folder per class), or a suite whose list of "
            f"labels has the numbers 0 to {count - 1} as names."
        )
    return LabelMap(
        to_class=tuple(listed[number] for number in numbers),
        words=f"{count} labels to classes by number, as the suite's list of labels says",
    )


def _refuse_place_holders(suite: Suite, names: tuple[str, ...], listed: dict[str, int]) -> None:
    """tfds names the labels of a dataset that has not been prepared "0", "1", ..., and says nothing."""
    if names and names == tuple(map(str, range(len(names)))) and not listed.keys() >= set(names):
        raise DatasetError(
            f"the labels are named '0', '1', ... to '{len(names) - 1}': these are the place holders of a tfds dataset "
            f"that has not been prepared, and say nothing of what is in the pictures. Prepare {suite.dataset or 'it'} "
            "(download_and_prepare) and give its data_dir, or give a dataset with label names."
        )


def _refuse_doubles(suite: Suite, names: tuple[str, ...]) -> None:
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise DatasetError(f"the dataset for suite {suite.name} has labels of the same name: {_some(twice)}.")


def _refuse_differences(
    suite: Suite, names: tuple[str, ...], table: dict[str, int], class_names: Sequence[str]
) -> None:
    """Every class must have exactly one label, and, unless the suite is a subset, every label its class."""
    unknown = [] if suite.subset else [name for name in names if name not in table]
    count = Counter(table[name] for name in names if name in table)
    missing = [_called(table, i, class_names) for i in range(len(class_names)) if not count[i]]
    several = [repr([n for n in names if table.get(n) == i]) for i, n in count.items() if n > 1]
    problems = []
    if len(names) != len(class_names) and not suite.subset:
        problems.append(f"{len(names)} labels for {len(class_names)} classes")
    if unknown:
        problems.append(f"{len(unknown)} unknown: {_some(unknown)}")
    if missing:
        problems.append(f"{len(missing)} missing: {_some(missing)}")
    if several:
        problems.append(f"several labels of one class: {', '.join(several)}")
    if problems:
        raise DatasetError(
            f"the dataset's labels are not those of suite {suite.name}: "
            + "; ".join(problems)
            + ". Labels go to classes "
            "by name; check that dataset and version are the suite's, or write a suite with its own list of labels."
        )


def _called(table: dict[str, int], i: int, class_names: Sequence[str]) -> str:
    return next((name for name, position in table.items() if position == i), class_names[i])


def _once(class_names: Sequence[str]) -> dict[str, int]:
    """Class name -> position; of names that are there twice, none."""
    count = Counter(class_names)
    return {name: i for i, name in enumerate(class_names) if count[name] == 1}


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(map(repr, names[:_SHOWN])) + (f" and {more} more" if more > 0 else "")
