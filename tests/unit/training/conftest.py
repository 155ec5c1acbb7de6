"""What is compiled here runs for milliseconds: the compiler need not think about it for seconds."""

import jax
import pytest


@pytest.fixture(autouse=True, scope="module")
def compile_quickly():
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
