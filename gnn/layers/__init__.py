"""Layers that PyTorch Geometric does not have."""
