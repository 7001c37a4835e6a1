"""``torch.distributions.transforms``: functions of random variables with inverse and Jacobian."""

from ._transform_base import ComposeTransform as ComposeTransform
from ._transform_base import IndependentTransform as IndependentTransform
from ._transform_base import Transform as Transform
from ._transform_base import _InverseTransform as _InverseTransform
from ._transform_base import identity_transform as identity_transform
from ._transform_events import CorrCholeskyTransform as CorrCholeskyTransform
from ._transform_events import LowerCholeskyTransform as LowerCholeskyTransform
from ._transform_events import PositiveDefiniteTransform as PositiveDefiniteTransform
from ._transform_events import ReshapeTransform as ReshapeTransform
from ._transform_events import SoftmaxTransform as SoftmaxTransform
from ._transform_events import StickBreakingTransform as StickBreakingTransform
from ._transform_parts import CatTransform as CatTransform
from ._transform_parts import StackTransform as StackTransform
from ._transform_pointwise import AbsTransform as AbsTransform
from ._transform_pointwise import AffineTransform as AffineTransform
from ._transform_pointwise import CumulativeDistributionTransform as CumulativeDistributionTransform
from ._transform_pointwise import ExpTransform as ExpTransform
from ._transform_pointwise import PowerTransform as PowerTransform
from ._transform_pointwise import SigmoidTransform as SigmoidTransform
from ._transform_pointwise import SoftplusTransform as SoftplusTransform
from ._transform_pointwise import TanhTransform as TanhTransform

__all__ = [
    "AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform",
    "CumulativeDistributionTransform", "ExpTransform", "IndependentTransform",
    "LowerCholeskyTransform", "PositiveDefiniteTransform", "PowerTransform", "ReshapeTransform",
    "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform", "StackTransform",
    "StickBreakingTransform", "TanhTransform", "Transform", "identity_transform",
]  # fmt: skip
