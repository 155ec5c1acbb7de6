"""What all tests of training share."""

import gc

import jax
import pytest


@pytest.fixture(autouse=True, scope="module")
def compile_quickly():
    """What is compiled here runs for milliseconds: the compiler need not think about it for seconds."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(autouse=True)
def nothing_is_left_for_later_tests(request):
    """What Orbax drops when a read or a write fails is collected here, and not in a test that is not to blame."""
    yield
    if request.node.get_closest_marker("filterwarnings"):
        gc.collect()
