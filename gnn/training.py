"""How a network is trained: one thread, chances from one seed, and a learning rate that rises and falls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw torch's chances from a seed, on one thread, and leave both afterwards as they were."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def device() -> torch.device:
    """Return the GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def tensor(values: NDArray[Any]) -> Tensor:
    """Return numbers as 32-bit floats where networks are trained."""
    return torch.as_tensor(values, dtype=torch.float32, device=device())


def train(network: nn.Module, loss: Callable[[], Tensor], steps: int, *, rate: float, decay: float) -> None:
    """Descend a loss by AdamW in ``steps`` steps; ``loss`` draws its own batch."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=max(2, steps))
    network.train()
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
        schedule.step()
    network.eval()


def entropy(odds: Tensor, label: Tensor) -> Tensor:
    """Return the cross entropy of log-odds."""
    return nn.functional.binary_cross_entropy_with_logits(odds, label)
