"""What is used of PyTorch Geometric, imported in one place: it warns of itself while it is imported."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # it compiles a class by a function that torch means to drop
    warnings.filterwarnings("ignore", message="`torch.jit.script` is deprecated", category=FutureWarning)
    from torch_geometric.nn import HeteroConv, MessagePassing, RGCNConv, SAGEConv
    from torch_geometric.nn.conv.gcn_conv import gcn_norm

__all__ = ["HeteroConv", "MessagePassing", "RGCNConv", "SAGEConv", "gcn_norm"]
