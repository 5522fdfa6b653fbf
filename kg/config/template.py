"""The ``kgfraud.toml`` of a new workspace, written from the settings' own declarations so that it is never stale."""

from __future__ import annotations

from collections.abc import Iterator

import tomlkit
from pydantic import BaseModel

from kg.config.models import Settings

_HEAD = """\
# Settings of this kgfraud workspace. Every setting stands here at its default.
# A flag goes before an environment variable (KGFRAUD_NEO4J__URL sets url in [neo4j]), before a line of
# the file .env beside this one, before this file. 'kgfraud ref settings' explains each of them.
"""

_SOURCES = """\
# Sources: one [[sources]] for each file or set of files. 'kgfraud ref sources' lists the kinds and their columns.
#
# [[sources]]
# name = "crm.companies"              # <system>.<table>: every row's source, and the home of its own ids
# kind = "companies"
# path = "landing/companies*.csv"     # CSV, CSV.gz, Parquet or JSON lines; relative to this file
# mode = "full"                       # full: what is missing is closed; append: rows are added; upsert: by record_id
# format = "csv"                      # csv, parquet or jsonl; guessed from the path where it is not set
# encoding = "UTF-8"                  # or GB18030
# separator = ","
# quote = '"'
# record_id = ["企业编号"]            # what identifies a row; none: its content does
# unknown_end = "quarantine"          # a row that refers to an unknown node is refused; stub: the node is made
# [sources.columns]                   # contract column = head, or a table with more to do, or a list of choices
# company = "企业编号"
# name = "企业名称"
# capital_fen = { column = "注册资本", unit = "万元" }
# founded_on = { column = "成立日期", format = "%Y/%m/%d" }
# [sources.constants]                 # contract column = the same value in every row
# region = "330106"
# [sources.where]                     # only the rows whose head equals the value
# "状态" = "存续"
# [sources.gate]                      # beyond one of these the run stops before anything is changed
# min_rows = 0                        # fewest rows
# max_drop = 1.0                      # largest fraction of rows lost against the last accepted delivery
# max_rejects = 1.0                   # largest fraction of rows in quarantine
#
# A known data set needs no mapping of its own:
#
# [[sources]]
# mapping = "finbench"
# path = "landing/finbench"           # a folder, or one of its files; only = ["company"] limits it
"""


def template() -> str:
    """Return the text of the file.

    >>> import tomllib
    >>> tomllib.loads(template())["engine"]["threads"]
    2
    """
    sections = (_section(name, default) for name, default in Settings() if isinstance(default, BaseModel))
    return "\n".join([_HEAD, *sections, _SOURCES])


def _section(name: str, settings: BaseModel) -> str:
    about = (type(settings).__doc__ or "").strip()
    return "\n".join([f"# {about}", f"[{name}]", *_lines(settings), ""])


def _lines(settings: BaseModel) -> Iterator[str]:
    written = {name: f"{name} = {tomlkit.item(value).as_string()}" for name, value in settings}
    width = max(map(len, written.values()))
    for name, line in written.items():
        yield f"{line:<{width}}  # {type(settings).model_fields[name].description}"
