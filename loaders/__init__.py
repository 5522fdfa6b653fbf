"""Loaders: a bank's files in, typed and checked records out."""
