"""Labels in the wrong order: found in a confusion matrix, told from the noise of a weak model.

A dataset whose labels are permuted gives no error, only a poor figure: two classes swapped (cheesecake and cheese
plate in food101), every label off by one, folders 0 ... 999 sorted as text.  The trace: images labelled a are taken
for b, those labelled b for c, and so on, around a cycle.  Two rules look for it; rates are shares of a label's
images, so that labels weigh alike.

Known orders (10 classes or more): every shift, text order and its inverse, and the reverse.  One is believed if
images agree with it at least twice as often as with the given order, and so do labels (by their most frequent
prediction), and if so many labels would not agree with it by accident: a model that maps labels to classes at random
agrees with an order on one label, as a Poisson count.  Labels are counted, not images, since a weak model may be
consistently wrong.  The rule holds for a model that is right on a few classes in a hundred.

Any order.  Images are dealt into two halves at random.  On the first, the Hungarian method finds the order that
agrees best with the predictions; it consists of cycles.  A cycle is believed if

1. on the second half, images agree with it at least twice as often as with the given order, and a sign test over the
   images that agree with either gives p <= 0.01 over the number of cycles;
2. in a cycle of up to 4 labels each shows it by itself (twice as often, p <= 0.05); in a longer one no more than a
   fifth of the labels agrees better with the given order;
3. label and class are mutually the best match: the class is the label's most frequent prediction, and no label sends
   more of its images there.  This for each label of a short cycle, and for three in four of a longer one;
4. the model knows the names: in the best order more labels are in mutual best matches than if it had mapped labels to
   classes at random, when 1 - 1/e of them, 63 %, would be; give or take two standard deviations.

Why noise does not pass.  The best of all orders looks better than the given one on the images that it was chosen by;
on others, an order that fitted noise agrees no more often than any (1).  A model that favours some classes whatever
it is shown adds the same to every order: around a cycle each class counts once (1).  A class that is mistaken for
another is no swap while the other is not mistaken for the first (2).  Chains through classes that the model does not
know, which a search over all orders likes to join, are nobody's best match (3).  A model whose image tower is good
and whose names are poor maps whole classes to wrong names, always the same; such a map has cycles by accident (4).

What it cannot tell: two names that an otherwise good model confuses thoroughly, both ways.  That is reported as well;
a reader has to look.

Source: the matching is scipy.optimize.linear_sum_assignment (Crouse 2016).
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64

from lit.errors import InputError
from lit.metrics import checks
from lit.metrics.intervals import SEED

GAIN, P, P_LABEL, SHORT, FEWEST = 2.0, 0.01, 0.05, 4, 10

_Counts = Int64[np.ndarray, "classes classes"]
_Rates = Float64[np.ndarray, "classes classes"]
_Order = Int64[np.ndarray, "classes"]


def permutation(confusion: Iterable[tuple[int, int, int]], classes: int) -> list[tuple[int, int]] | None:
    """The labels that seem to stand for another class, by the rules above.

    Args:
      confusion: (label, predicted class, images), as `confusion` returns it.
      classes: how many there are.

    Returns:
      (label, the class that its images show), in the order of the labels; None where nothing looks permuted.  Two
      classes swapped give (a, b) and (b, a).  `permutation_in_words` says it to people.

    Raises:
      InputError: no image, or a position out of range.
    """
    counts = _matrix(confusion, classes)
    order = _known_order(counts)
    moved = np.arange(classes) != order if order is not None else np.zeros(classes, bool)
    if order is None:
        chosen = np.random.default_rng(SEED).binomial(counts, 0.5)
        order = _best_order(_rates(chosen))
        matched = _mutual(_rates(counts), order)
        cycles = _cycles(order)
        if matched.mean() >= _by_accident(classes):
            for cycle in cycles:
                moved[cycle] = _believed(counts, counts - chosen, cycle, order, matched, P / len(cycles))
    return [(int(label), int(order[label])) for label in np.flatnonzero(moved)] or None


def permutation_in_words(moves: Sequence[tuple[int, int]], class_names: Sequence[str]) -> str:
    """What `permutation` found, for people: the known order if it is one, else swaps and moves by name (eight)."""
    classes = len(class_names)
    order = np.arange(classes)
    order[[label for label, _ in moves]] = [shown for _, shown in moves]
    for words, known in _known_orders(classes):
        if np.array_equal(order, known):
            return f"the labels look {words}"
    to = dict(moves)
    said = []
    for label, shown in moves:
        if to.get(shown) != label:
            said.append(f"images labelled {class_names[label]!r} are taken for {class_names[shown]!r}")
        elif label < shown:
            said.append(f"{class_names[label]!r} and {class_names[shown]!r} look swapped")
    more = f", and {len(said) - 8} more" if len(said) > 8 else ""
    return ", ".join(said[:8]) + more


def _matrix(confusion: Iterable[tuple[int, int, int]], classes: int) -> _Counts:
    cells = np.asarray(list(confusion), np.int64).reshape(-1, 3)
    checks.within(cells[:, :2].ravel(), classes, "positions in the confusion")
    if (cells[:, 2] < 0).any() or not cells[:, 2].sum():
        raise InputError("the confusion counts no image, or less than none; it must hold (label, predicted, images).")
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (cells[:, 0], cells[:, 1]), cells[:, 2])
    return counts


def _rates(counts: _Counts) -> _Rates:
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _known_orders(classes: int) -> Iterable[tuple[str, _Order]]:
    given = np.arange(classes)
    for shift in range(1, classes):
        by = shift if 2 * shift <= classes else shift - classes
        yield f"shifted: label n is taken for class n {'+' if by > 0 else '-'} {abs(by)}", (given + shift) % classes
    as_text = np.asarray(sorted(range(classes), key=str))
    yield "sorted as text (0, 1, 10, 100, ...), as folders named by number are", as_text
    yield "numbered by place among the class numbers sorted as text (0, 1, 10, 100, ...)", np.argsort(as_text)
    yield "reversed", given[::-1]


def _known_order(counts: _Counts) -> _Order | None:
    from scipy.special import pdtrc  # half a second to import

    classes = len(counts)
    if classes < FEWEST:
        return None
    rates, given = _rates(counts), np.arange(classes)
    favourite = np.where(counts.any(axis=1), counts.argmax(axis=1), -1)
    orders = [order for _, order in _known_orders(classes) if (order != given).any()]
    agreeing = np.asarray([(favourite == order).sum() for order in orders])
    best = int(agreeing.argmax())
    labels, order = int(agreeing[best]), orders[best]
    twice = rates[given, order].sum() >= GAIN * np.trace(rates) and labels >= GAIN * (favourite == given).sum()
    # pdtrc(m, 1) is the probability of more than m.
    return order if twice and pdtrc(labels - 1, 1.0) <= P / len(orders) else None


def _best_order(rates: _Rates) -> _Order:
    from scipy.optimize import linear_sum_assignment

    # Of equals the given order.
    return linear_sum_assignment(rates + 1e-6 * np.eye(len(rates)), maximize=True)[1].astype(np.int64)


def _cycles(order: _Order) -> list[list[int]]:
    """Of two labels or more."""
    seen: set[int] = set()
    found = []
    for start in range(len(order)):
        cycle, label = [], start
        while label not in seen:
            seen.add(label)
            cycle.append(label)
            label = int(order[label])
        if len(cycle) > 1:
            found.append(cycle)
    return found


def _mutual(rates: _Rates, order: _Order) -> Bool[np.ndarray, "classes"]:
    """Labels whose class is their most frequent prediction, and that send more images there than any other label."""
    here = rates[np.arange(len(order)), order]
    return (here > 0) & (here >= rates.max(axis=1)) & (here >= rates.max(axis=0)[order])


def _by_accident(classes: int) -> float:
    """The share of classes that a random map reaches, plus two standard deviations; no more than all."""
    reached, spread = 1 - np.exp(-1), np.sqrt((np.exp(-1) - 2 * np.exp(-2)) / classes)
    return min(1.0, float(reached + 2 * spread))


def _believed(
    counts: _Counts, held: _Counts, cycle: list[int], order: _Order, matched: Bool[np.ndarray, "classes"], p: float
) -> bool:
    """Whether a cycle passes conditions 1 to 3."""
    from scipy.special import bdtr

    labels, classes = np.asarray(cycle), order[cycle]
    rates = _rates(held)
    given, new = rates[labels, labels], rates[labels, classes]
    n_given, n_new = held[labels, labels].sum(), held[labels, classes].sum()
    if new.sum() < GAIN * given.sum() or not new.any() or bdtr(n_given, n_given + n_new, 0.5) > p:
        return False
    if len(cycle) > SHORT:
        return bool((new < given).mean() <= 0.2 and matched[labels].mean() >= 0.75)
    each_given, each_new = counts[labels, labels], counts[labels, classes]
    by_itself = (each_new >= GAIN * each_given) & (bdtr(each_given, each_given + each_new, 0.5) <= P_LABEL)
    return bool((by_itself & matched[labels]).all())
