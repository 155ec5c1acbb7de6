import threading
import warnings

import pytest

from lit.images.quiet import quiet


def warn_as(module):
    warnings.warn_explicit("odd", UserWarning, "a file", 1, module=module)


def test_only_pillow_is_quiet_and_only_inside():
    before = list(warnings.filters)
    with quiet():
        warn_as("PIL.Image")
        with pytest.raises(UserWarning):
            warn_as("elsewhere")
    with pytest.raises(UserWarning):
        warn_as("PIL.Image")
    assert list(warnings.filters) == before


def test_a_thread_that_leaves_does_not_disturb_one_that_is_inside():
    before, inside, leave = list(warnings.filters), threading.Event(), threading.Event()

    def other():
        with quiet():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    with quiet():
        leave.set()
        thread.join()
        warn_as("PIL.Image")
    assert list(warnings.filters) == before


def test_filters_exchanged_meanwhile_are_left_alone():
    before = list(warnings.filters)
    caught = warnings.catch_warnings()
    guard = quiet()
    caught.__enter__()
    with guard:
        warnings.resetwarnings()
        warn_filters = list(warnings.filters)
    assert list(warnings.filters) == warn_filters
    caught.__exit__(None, None, None)
    assert list(warnings.filters) == before
