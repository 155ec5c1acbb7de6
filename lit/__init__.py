"""Zero-shot image-text models in JAX.

::

    import lit

    model = lit.load()                               # the embedded model: no download
    zimg = model.embed_images(["cat.jpg"])           # (1, dim) float32, unit norm
    ztxt = model.embed_texts(["a cat", "a dog"])     # (2, dim) float32, unit norm
    print(zimg @ ztxt.T)                             # cosine similarity

    lit.ZeroShotClassifier(model, ["cat", "dog"]).predict(["cat.jpg"])
    print(lit.evaluate(model, "cifar10"))            # a labelled dataset, prepared by tfds

Names are imported when they are first used: `import lit` alone imports neither JAX nor numpy.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lit import errors as errors
    from lit.config import LiTConfig as LiTConfig
    from lit.config import PreprocessConfig as PreprocessConfig
    from lit.errors import LitError as LitError
    from lit.evaluation import evaluate as evaluate
    from lit.loading import load as load
    from lit.model import Model as Model
    from lit.prompts import PromptSet as PromptSet
    from lit.prompts import canonicalize as canonicalize
    from lit.prompts import load_classes as load_classes
    from lit.protocols import PROTOCOLS as PROTOCOLS
    from lit.protocols import Protocol as Protocol
    from lit.report import Report as Report
    from lit.suites import Suite as Suite
    from lit.zeroshot import ZeroShotClassifier as ZeroShotClassifier
    from lit.zoo import MODELS as MODELS

__version__ = "0.1.0"

_HOME = {
    "LiTConfig": "lit.config",
    "LitError": "lit.errors",
    "MODELS": "lit.zoo",
    "Model": "lit.model",
    "PROTOCOLS": "lit.protocols",
    "PreprocessConfig": "lit.config",
    "PromptSet": "lit.prompts",
    "Protocol": "lit.protocols",
    "Report": "lit.report",
    "Suite": "lit.suites",
    "ZeroShotClassifier": "lit.zeroshot",
    "canonicalize": "lit.prompts",
    "errors": "lit",
    "evaluate": "lit.evaluation",
    "load": "lit.loading",
    "load_classes": "lit.prompts",
}
__all__ = sorted([*_HOME, "__version__"])  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    import importlib

    if name not in _HOME:
        raise AttributeError(f"module 'lit' has no attribute {name!r}")
    if _HOME[name] == "lit":
        return importlib.import_module(f"lit.{name}")
    value = vars(importlib.import_module(_HOME[name]))[name]
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
