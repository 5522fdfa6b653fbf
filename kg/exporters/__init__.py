"""The forms in which flags are handed over, one file each."""

from __future__ import annotations

from kg.export import Exporter
from kg.exporters.csv import Csv
from kg.exporters.jsonl import JsonLines

EXPORTERS: tuple[Exporter, ...] = (JsonLines(), Csv())
