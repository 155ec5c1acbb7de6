"""JAX runs strict in every test, and every array annotation in `lit` is checked at run time."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

from jaxtyping import install_import_hook

# Before anything imports lit: the hook rewrites modules as they load.
install_import_hook("lit", "beartype.beartype")

import jax  # noqa: E402

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

import hypothesis  # noqa: E402
import pytest  # noqa: E402

# A busy machine is no failure.
hypothesis.settings.register_profile("lit", deadline=None)
hypothesis.settings.load_profile("lit")


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory):
    """A directory that `lit.load` takes."""
    from tiny import save_tiny, tiny_config

    return save_tiny(tmp_path_factory.mktemp("models") / "tiny", tiny_config())


@pytest.fixture(scope="session")
def tiny_model(tiny_bundle):
    """The model in it."""
    from lit.loading import load

    return load(tiny_bundle)


@pytest.fixture(scope="session")
def biased_model(tmp_path_factory):
    """A model with a logit_bias, as sigmoid-trained ones have."""
    from tiny import save_tiny, tiny_config

    from lit.loading import load

    return load(save_tiny(tmp_path_factory.mktemp("models") / "biased", tiny_config(name="biased", bias=True)))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Nothing a test does touches the user's cache or configuration."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LIT_CACHE", str(home / "cache"))
    (home / "config.toml").touch()
    monkeypatch.setenv("LIT_CONFIG", str(home / "config.toml"))
    for name in ("LIT_MIRRORS", "LIT_OFFLINE", "HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
