"""Labels in the wrong order are found and named; weak models and their systematic mistakes are not taken for it."""

import time

import numpy as np
import pytest

from lit.errors import InputError
from lit.metrics import confusion, permutation, permutation_in_words


def zero_shot(seed, classes, each, dim, *, blur, names, favour=0.0):
    """A zero-shot classifier: pictures scatter around their class by `blur`, names lie off it by `names`.

    With `favour` some names are longer than others, and win too often.
    """
    rng = np.random.default_rng(seed)
    centre = rng.standard_normal((classes, dim))
    text = centre + names * rng.standard_normal((classes, dim))
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    text *= np.exp(favour * rng.standard_normal((classes, 1)))
    label = np.repeat(np.arange(classes), each)
    zimg = centre[label] + blur * rng.standard_normal((len(label), dim))
    return label, (zimg @ text.T).argmax(axis=1)


def found(label, predicted, classes, order=None):
    """What is found if pictures of class `order[i]` carry label i."""
    if order is not None:
        label = np.argsort(order)[label]
    return permutation(confusion(label, predicted, classes), classes)


def moves_of(order):
    return [(i, int(c)) for i, c in enumerate(order) if i != c]


def swapped(classes, a, b):
    order = np.arange(classes)
    order[[a, b]] = b, a
    return order


def as_text(classes):
    return np.asarray(sorted(range(classes), key=str))


@pytest.mark.parametrize("seed", range(4))
def test_two_classes_swapped(seed):
    """As cheesecake and cheese plate in food101: 101 classes, 250 pictures each, 88 % right."""
    label, predicted = zero_shot(seed, 101, 250, 24, blur=0.8, names=0.7)
    assert 0.8 < (label == predicted).mean() < 0.97
    assert found(label, predicted, 101) is None
    moves = found(label, predicted, 101, swapped(101, 16, 17))
    assert moves == [(16, 17), (17, 16)]
    names = [f"class {i}" for i in range(101)]
    names[16:18] = "cheesecake", "cheese plate"
    assert permutation_in_words(moves, names) == "'cheesecake' and 'cheese plate' look swapped"


@pytest.mark.parametrize(("classes", "blur", "names"), [(37, 0.5, 0.3), (100, 1.0, 1.0), (200, 1.5, 1.5), (1000, 2, 4)])
@pytest.mark.parametrize(
    ("order", "words"),
    [
        (lambda n: (np.arange(n) + 1) % n, "shifted: label n is taken for class n + 1"),
        (lambda n: (np.arange(n) - 2) % n, "shifted: label n is taken for class n - 2"),
        (as_text, "sorted as text (0, 1, 10, 100, ...), as folders named by number are"),
        (lambda n: np.argsort(as_text(n)), "numbered by place among the class numbers sorted as text"),
        (lambda n: np.arange(n)[::-1], "reversed"),
    ],
)
def test_known_orders_are_named_even_with_a_weak_model(classes, blur, names, order, words):
    label, predicted = zero_shot(0, classes, 30, 64, blur=blur, names=names)
    order = order(classes)
    moves = found(label, predicted, classes, order)
    assert moves == moves_of(order)
    assert permutation_in_words(moves, [str(i) for i in range(classes)]).startswith(f"the labels look {words}")


def test_any_order():
    """Pets: 33 of 37 names stand beside the wrong label."""
    label, predicted = zero_shot(0, 37, 100, 24, blur=0.8, names=0.7)
    order = np.arange(37)
    order[4:] = np.random.default_rng(3).permutation(33) + 4
    moves = found(label, predicted, 37, order)
    assert moves
    assert set(moves) <= set(moves_of(order))
    assert len(moves) > 0.8 * len(moves_of(order))


def test_labels_off_by_one_from_some_class_on():
    """A class is missing from the dataset, and whoever numbered the rest closed the gap."""
    label, predicted = zero_shot(0, 50, 60, 24, blur=0.8, names=0.7)
    kept = label != 20
    label, predicted = label[kept], predicted[kept]
    label = np.where(label > 20, label - 1, label)
    moves = permutation(confusion(label, predicted, 50), 50)
    assert moves
    assert {(i, i + 1) for i in range(20, 49)} <= set(moves)
    assert all(shown == i + 1 for i, shown in moves if i < 49)


@pytest.mark.parametrize("favour", [0.0, 0.2])
@pytest.mark.parametrize(
    ("classes", "each", "dim", "blur", "names"),
    [
        (10, 100, 16, 2, 2.5),
        (45, 100, 32, 2, 4),
        (100, 20, 64, 2, 2.5),
        (200, 30, 64, 1, 4),
        (37, 100, 32, 0.3, 3),
        (45, 100, 32, 0.1, 20),
    ],
)
def test_weak_models_are_no_permutation(classes, each, dim, blur, names, favour):
    """From blurred pictures to sharp ones with names at random: consistently wrong, and yet in the right order."""
    for seed in range(5):
        label, predicted = zero_shot(seed, classes, each, dim, blur=blur, names=names, favour=favour)
        assert (label == predicted).mean() < 0.5
        assert found(label, predicted, classes) is None


def test_guesses_are_no_permutation():
    rng = np.random.default_rng(0)
    popular = rng.dirichlet(np.full(100, 0.1))
    for weights in (None, popular):
        for _ in range(10):
            label = np.repeat(np.arange(100), 10)
            assert permutation(confusion(label, rng.choice(100, 1000, p=weights), 100), 100) is None


def test_a_class_that_is_mistaken_for_another_is_no_swap():
    """Everything called "missile" or its double is a missile; a one-way mistake in an otherwise good model."""
    cells = [(i, i, 50) for i in range(18)] + [(18, 18, 50), (19, 18, 50)]
    assert permutation(cells, 20) is None


@pytest.mark.parametrize("often", [(20, 30), (160, 240)])
def test_neither_are_two_that_are_often_confused(often):
    right, wrong = often
    cells = [(i, i, 50) for i in range(18)] + [(18, 18, right), (18, 19, wrong), (19, 18, wrong), (19, 19, right)]
    assert permutation(cells, 20) is None


def test_each_of_two_must_show_it():
    """Hundreds of one class taken for the other, and two pictures of the other taken for the one."""
    cells = [(i, i, 50) for i in range(18)] + [(18, 19, 300), (19, 18, 2)]
    assert permutation(cells, 20) is None
    assert permutation([*cells[:-1], (19, 18, 20)], 20) == [(18, 19), (19, 18)]


def test_a_thousand_classes_take_a_moment():
    label, predicted = zero_shot(0, 1000, 50, 64, blur=1, names=1)
    cells = confusion(label, predicted, 1000)
    started = time.process_time()
    assert permutation(cells, 1000) is None
    # 0.3 s on the two-core machine.
    assert time.process_time() - started < 5


def test_few_classes_and_few_images():
    assert permutation([(0, 0, 40), (1, 1, 40)], 2) is None
    assert permutation([(0, 1, 40), (1, 0, 40)], 2) == [(0, 1), (1, 0)]
    assert permutation([(0, 1, 2), (1, 0, 2)], 2) is None
    assert permutation([(0, 0, 5)], 1) is None
    assert permutation([(3, 3, 5)], 40) is None


def test_longer_cycles_in_words():
    names = list("abcdefghijklmnop")
    assert permutation_in_words([(0, 2), (2, 5), (5, 0)], names) == (
        "images labelled 'a' are taken for 'c', images labelled 'c' are taken for 'f', "
        "images labelled 'f' are taken for 'a'"
    )
    ring = [1, 2, 4, 3, 6, 5, 8, 7, 9, 10, 12]
    said = permutation_in_words(sorted(zip(ring, [*ring[1:], ring[0]], strict=True)), names)
    assert said.count("are taken for") == 8
    assert said.endswith(", and 3 more")


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([], "counts no image"),
        ([(0, 0, 0)], "counts no image"),
        ([(0, 0, -1), (1, 1, 3)], "or less than none"),
        ([(0, 3, 1)], "positions in the confusion: entry 1 is 3; with 3 classes"),
    ],
)
def test_confusions_that_count_nothing(cells, says):
    with pytest.raises(InputError, match=says):
        permutation(cells, 3)
