"""Heads: what may stand on a tower."""

import dataclasses
from typing import Literal

from lit.config import checks
from lit.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrototypeHeadConfig:
    """A head onto the square root of a posterior over class prototypes: unit norm by construction.

    `sqrt(softmax(x @ kernel / temperature + bias))`.  With one on either side, the inner product of the two outputs is
    the Bhattacharyya coefficient of the two posteriors: how far image and text agree about the prototypes.

    Attributes:
      num_prototypes: width of the output.
      centre: subtract a learned mean from the unit vector `x` and normalise it again before the kernel (text side).
      bias: add a bias to the logits (image side: the classifier's own).
      temperature: divides the product; lower is sharper.
    """

    kind: Literal["prototypes"] = "prototypes"
    num_prototypes: int
    centre: bool = False
    bias: bool = True
    temperature: float = 1.0

    def __post_init__(self) -> None:
        checks.choices(self)
        checks.positive(self, "num_prototypes", "temperature")

    @property
    def width(self) -> int:
        """Of what comes out."""
        return self.num_prototypes


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProjectionHeadConfig:
    """A head that is learned: one Dense layer; or layer norm, Dense, gelu, Dense.

    Attributes:
      dim: width of the output.
      hidden: width between the two layers; None for one layer alone.
    """

    kind: Literal["projection"] = "projection"
    dim: int
    hidden: int | None = None

    def __post_init__(self) -> None:
        checks.choices(self)
        checks.positive(self, "dim", "hidden")

    @property
    def width(self) -> int:
        """Of what comes out."""
        return self.dim


@dataclasses.dataclass(frozen=True, kw_only=True)
class JointHeadConfig:
    """Two heads on the same features, their unit vectors side by side.

    With one on either side, a cosine is `(1 - share) * cosine of the first + share * cosine of the second`: two
    opinions, of which neither can be lost in the other's training.

    Attributes:
      first, second: the heads.
      share: of the second in a cosine, between 0 and 1.
    """

    kind: Literal["joint"] = "joint"
    first: PrototypeHeadConfig
    second: ProjectionHeadConfig
    share: float

    def __post_init__(self) -> None:
        checks.choices(self)
        if not 0 < self.share < 1:
            raise ConfigError(f"JointHeadConfig.share is {self.share}; it must be greater than 0 and less than 1.")

    @property
    def width(self) -> int:
        """Of what comes out."""
        return self.first.width + self.second.width


HeadConfig = PrototypeHeadConfig | ProjectionHeadConfig | JointHeadConfig
