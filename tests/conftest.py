"""JAX runs strict in every test, and every array annotation in `lit` is checked at run time."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

from jaxtyping import install_import_hook

# Before anything imports lit: the hook rewrites modules as they load.
install_import_hook("lit", "beartype.beartype")

import jax  # noqa: E402

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
