"""Sequence models of PyTorch that can be taught what differs between people."""

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from deepcohort.expression.part import Part
from deepcohort.expression.torch_model import TorchModel


class Teachable(TorchModel):
    """A model of one output whose last layer is linear; subclasses tell ``pooled`` too."""

    tracks: Sequence[str] = ("expression",)
    additive = False

    @property
    @abstractmethod
    def last(self) -> nn.Linear:
        """The last layer."""

    @abstractmethod
    def pooled(self, features: Tensor) -> Tensor:
        """What the last layer sees, [n, width], of features of the whole window."""

    @abstractmethod
    def trunk(self) -> list[nn.Parameter]:
        """Parameters of ``first``."""

    @abstractmethod
    def named(self) -> dict[str, nn.Parameter]:
        """All parameters that ``first`` and ``rest`` use, by name."""

    def rest(self, features: Tensor) -> Tensor:
        """Expression, [n, 1]."""
        made: Tensor = self.last(self.pooled(features))
        return made

    def taught(self, part: Part) -> dict[str, nn.Parameter]:
        """Parameters of a part, by name."""
        fixed = {id(value) for value in self.trunk()} if part is not Part.all else set()
        last = {id(value) for value in self.last.parameters()}
        return {
            name: value
            for name, value in self.named().items()
            if (id(value) in last if part is Part.head else id(value) not in fixed)
        }
