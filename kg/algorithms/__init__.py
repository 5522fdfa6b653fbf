"""Kernels on dense ids: arrays in, arrays out; they know no database, no files and no vocabulary."""
