"""Few-shot classification: how far a few labelled examples per class go on frozen embeddings."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int

from lit.errors import InputError
from lit.metrics import checks
from lit.metrics.figure import Figure
from lit.metrics.intervals import wilson
from lit.metrics.neighbours import NEIGHBOURS, TEMPERATURE, nearest_neighbours

#: Source: big_vision, configs/common_fewshot.py: l2_reg = 2 ** 10, three seeds.
L2 = 1024.0
SEEDS = (0, 1, 2)
#: A constant feature, so large that the penalty hardly touches its weight.  Source: evaluators/fewshot_lsr.py.
BIAS = 100.0
#: Scores in memory at one time.
_BLOCK = 2**22


@dataclasses.dataclass(frozen=True, kw_only=True)
class FewShot:
    """One row of the few-shot table.

    Attributes:
      method: "ridge" or "nearest neighbours".
      shots: training examples per class.
      accuracies: one for each seed.
      setting: in words ("l2 = 1024", "k = 10, cosine").
    """

    method: str
    shots: int
    accuracies: tuple[float, ...]
    setting: str

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return float(np.mean(self.accuracies))

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds (of a sample); 0 for a single seed."""
        return float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else 0.0

    def figure(self, n: int) -> Figure:
        """The mean with an interval for both kinds of chance: which examples were drawn, and which images scored.

        The two half-widths, Student's over the seeds and Wilson's over the images, are added in quadrature.

        Args:
          n: images that were scored.
        """
        from scipy.special import stdtrit  # half a second to import

        low, high = wilson(self.mean * n, n)
        seeds, examples, said = len(self.accuracies), 0.0, "one draw of examples; Wilson over images"
        if seeds > 1:
            examples = float(stdtrit(seeds - 1, 0.975)) * self.spread / seeds**0.5
            said = f"Student over {seeds} draws of examples and Wilson over images, in quadrature"
        return Figure(
            value=self.mean,
            low=max(0.0, self.mean - float(np.hypot(self.mean - low, examples))),
            high=min(1.0, self.mean + float(np.hypot(high - self.mean, examples))),
            n=n,
            method=said,
        )


class _Ridge(NamedTuple):
    weights: Float64[np.ndarray, "features classes"]
    mean: Float64[np.ndarray, "dim"]
    std: Float64[np.ndarray, "dim"]

    def scores(self, x: Float[np.ndarray, "images dim"]) -> Float64[np.ndarray, "images classes"]:
        return (x - self.mean) / self.std @ self.weights[:-1] + BIAS * self.weights[-1]


def ridge(
    x: Float[np.ndarray, "examples dim"],
    y: Int[np.ndarray, "examples"],
    x_test: Float[np.ndarray, "images dim"],
    classes: int,
    l2: float = L2,
) -> Float64[np.ndarray, "images classes"]:
    """Scores of a linear classifier fitted in closed form, without a step size or a stopping rule.

    Least squares onto targets of +1 for the class and -1 for the others, with a penalty of `l2` times the squared
    weights.  Features are whitened one by one by the examples' mean and (population) standard deviation + 1e-5, and a
    constant feature of 100 is the bias.  Everything is float64: float32, as in the reference, is noisy at small l2.

    Args:
      x, y: training examples and their classes.
      x_test: what is scored.
      classes: how many there are.
      l2: above 0.

    Returns:
      One score for each class; the class is the argmax, of equals the first.

    Raises:
      InputError: no example, lengths or widths differ, a label out of range, l2 not above 0, or a value that is no
        number.

    Source: big_vision, evaluators/fewshot_lsr.py.
    """
    _check_pair(x, y, "x", "y", classes)
    checks.same_length(x_test=x_test)
    checks.finite(x_test, "values of x_test")
    _check_widths(x, x_test)
    return _fitted(x, y, classes, l2).scores(x_test)


def few_shot(
    z_train: Float[np.ndarray, "examples dim"],
    y_train: Int[np.ndarray, "examples"],
    z_test: Float[np.ndarray, "images dim"],
    y_test: Int[np.ndarray, "images"],
    classes: int,
    *,
    shots: Sequence[int] = (1, 5, 10, 25),
    seeds: Sequence[int] = SEEDS,
    l2: float = L2,
    k: int = NEIGHBOURS,
) -> list[FewShot]:
    """Accuracy of ridge and of nearest neighbours with a few examples of each class, drawn anew for each seed.

    Args:
      z_train, y_train: what examples are drawn from, in the dataset's order (the draw depends on it).
      z_test, y_test: what is scored.
      classes: how many there are.
      shots: examples per class; a class that has fewer gives all it has, and `setting` says how many such there are.
      seeds: one draw for each; the examples of fewer shots are among those of more.
      l2: see `ridge`.
      k: see `nearest_neighbours`; all examples where there are fewer.

    Returns:
      For each number of shots a row for either method.

    Raises:
      InputError: as the two methods; or a class without any example.

    Source: big_vision, evaluators/fewshot_lsr.py, draws the same examples from the same order.
    """
    _check_pair(z_train, y_train, "z_train", "y_train", classes)
    _check_pair(z_test, y_test, "z_test", "y_test", classes)
    _check_widths(z_train, z_test)
    if not shots or not seeds:
        raise InputError(f"shots are {tuple(shots)} and seeds {tuple(seeds)}; give at least one of each.")
    for n in shots:
        checks.whole(n, 1, 2**31, "shots")
    there = np.bincount(y_train, minlength=classes)
    if not there.all():
        raise InputError(
            f"{(there == 0).sum()} of {classes} classes have no training example, the first being class "
            f"{int(there.argmin())}; few-shot needs at least one of each."
        )
    drawn = [_drawn(y_train, classes, seed) for seed in seeds]
    rows = []
    for n in shots:
        examples = [np.concatenate([of_class[:n] for of_class in draw]) for draw in drawn]
        near = min(k, len(examples[0]))
        by_ridge = [_ridge_accuracy(z_train[e], y_train[e], z_test, y_test, classes, l2) for e in examples]
        by_vote = [
            float((nearest_neighbours(z_train[e], y_train[e], z_test, classes, k=near).argmax(axis=1) == y_test).mean())
            for e in examples
        ]
        short = int((there < n).sum())
        said = f"; {short} of {classes} classes have fewer than {n} examples" if short else ""
        cosine = f"k = {near}, cosine, softmax vote at {TEMPERATURE:g}"
        rows.append(FewShot(method="ridge", shots=n, accuracies=tuple(by_ridge), setting=f"l2 = {l2:g}{said}"))
        rows.append(FewShot(method="nearest neighbours", shots=n, accuracies=tuple(by_vote), setting=cosine + said))
    return rows


def _drawn(y: Int[np.ndarray, "examples"], classes: int, seed: int) -> list[Int[np.ndarray, "_"]]:
    """The examples of each class in the order in which they are taken; one generator serves all classes in turn."""
    rng = np.random.default_rng(seed)
    return [rng.permutation(np.flatnonzero(y == of_class)) for of_class in range(classes)]


def _ridge_accuracy(
    x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray, classes: int, l2: float
) -> float:
    fitted, rows = _fitted(x, y, classes, l2), max(1, _BLOCK // classes)
    right = sum(
        int((fitted.scores(x_test[i : i + rows]).argmax(axis=1) == y_test[i : i + rows]).sum())
        for i in range(0, len(x_test), rows)
    )
    return right / len(x_test)


def _fitted(x: np.ndarray, y: np.ndarray, classes: int, l2: float) -> _Ridge:
    if not 0 < l2 < np.inf:
        raise InputError(f"l2 is {l2}; it must be a number above 0.")
    x = x.astype(np.float64)
    mean, std = x.mean(axis=0), x.std(axis=0) + 1e-5
    white = np.concatenate([(x - mean) / std, np.full((len(x), 1), BIAS)], axis=1)
    target = np.where(y[:, None] == np.arange(classes), 1.0, -1.0)
    # One matrix of the smaller side: of features, or of examples.
    if len(white) >= white.shape[1]:
        weights = np.linalg.solve(white.T @ white + l2 * np.eye(white.shape[1]), white.T @ target)
    else:
        weights = white.T @ np.linalg.solve(white @ white.T + l2 * np.eye(len(white)), target)
    return _Ridge(weights, mean, std)


def _check_pair(x: np.ndarray, y: np.ndarray, x_name: str, y_name: str, classes: int) -> None:
    checks.same_length(**{x_name: x, y_name: y})
    checks.within(y, classes, y_name)
    checks.finite(x, f"values of {x_name}")


def _check_widths(x: np.ndarray, x_test: np.ndarray) -> None:
    if x.shape[1] != x_test.shape[1]:
        raise InputError(f"examples have {x.shape[1]} numbers and images {x_test.shape[1]}; they must agree.")
