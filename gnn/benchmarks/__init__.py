"""Published data sets that models are held against: the catalogue of benchmarks."""

from gnn.benchmark import Benchmark
from gnn.benchmarks import fdcompcn, smesd

BENCHMARKS: tuple[Benchmark, ...] = (fdcompcn.BENCHMARK, smesd.BENCHMARK)

__all__ = ["BENCHMARKS"]
