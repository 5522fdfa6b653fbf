"""The settings of a source: where its files lie and how its heads map to a kind's contract."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, StringConstraints

Mode = Literal["full", "append", "upsert"]
UnknownEnd = Literal["quarantine", "stub"]
Fraction = Annotated[float, Field(ge=0, le=1)]

#: Most characters of a source's name, and most bytes of it in UTF-8: 255 less the endings of files.
LONGEST_NAME, _LONGEST_BYTES = 100, 240
_ENCODINGS = {"UTF8": "UTF-8", "GBK": "GB18030", "GB2312": "GB18030"}


class Model(BaseModel):
    """A frozen table of settings that refuses a name it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _many(value: object) -> object:
    """Let one value stand for a list of one."""
    return value if isinstance(value, (list, tuple)) else (value,)


def _pick(value: object) -> object:
    """Let a bare head stand for ``{column = head}``."""
    return {"column": value} if isinstance(value, str) else value


def _filled(picks: tuple[Pick, ...]) -> tuple[Pick, ...]:
    """Refuse a contract column without any choice."""
    if not picks:
        raise ValueError("it names no head of the file")
    return picks


def _short(name: str) -> str:
    """Refuse a name that cannot be the name of a file, with an ending, on every disk."""
    if len(name) > LONGEST_NAME or len(name.encode()) > _LONGEST_BYTES:
        chinese = _LONGEST_BYTES // 3
        raise ValueError(f"it must be at most {LONGEST_NAME} characters long ({chinese} where they are Chinese): files are called by it")
    return name


def _pattern(path: str) -> str:
    """Refuse a pattern that means nothing."""
    if any("**" in part and part != "**" for part in Path(path).parts):
        raise ValueError("** means any folders and stands alone between two strokes, such as landing/**/*.csv")
    return path


def _encoding(value: object) -> object:
    """Read an encoding in any case, and a subset of GB18030 as GB18030."""
    name = value.upper() if isinstance(value, str) else value
    return _ENCODINGS.get(name, name) if isinstance(name, str) else name


class Pick(Model):
    """One way to fill a contract column: a head of the file and what is to be done with its values.

    >>> Pick(column="金额", unit="万元").unit
    '万元'
    """

    column: str = Field(description="head of the file")
    unit: str | None = Field(default=None, description="unit of the file's money or shares, such as 万元 or percent")
    format: str | None = Field(default=None, description="format of the file's dates or times, such as %Y-%m-%d %H:%M:%S")
    zone: str | None = Field(default=None, description="time zone of times that name none, and of the days of those that do")
    by: Literal["id", "uscc", "cnid", "name", "graph"] = Field(
        default="id", description="what a reference is made by; graph: an id of the graph"
    )
    label: Literal["company", "person"] | None = Field(default=None, description="which party a reference names")
    bank: str | None = Field(default=None, description="bank that an account number belongs to")
    split: str | None = Field(default=None, min_length=1, description="separator at which a cell is split into several rows")
    values: dict[str, str] | None = Field(default=None, description="value of the file → value of the contract")


class Gate(Model):
    """What a delivery must hold before anything of it is taken."""

    min_rows: int = Field(default=0, ge=0, description="fewest rows")
    max_drop: Fraction = Field(default=1.0, description="largest fraction of rows lost against the last accepted delivery")
    max_rejects: Fraction = Field(default=1.0, description="largest fraction of rows in quarantine")


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_pattern)]
Encoding = Annotated[Literal["UTF-8", "GB18030"], BeforeValidator(_encoding)]
Picks = Annotated[tuple[Annotated[Pick, BeforeValidator(_pick)], ...], BeforeValidator(_many), AfterValidator(_filled)]


class _Located(Model):
    """Settings that remember where each of them was written."""

    _places: dict[tuple[str | int, ...], str] = PrivateAttr(default_factory=dict)
    _root: Path | None = PrivateAttr(None)

    def at(self, *path: str | int) -> str:
        """Return where a setting of this source was written, for messages: ``kgfraud.toml line 12``.

        Parameters
        ----------
        path
            The setting, from the outside in, such as ``"columns", "amount"``; a setting that was not
            written is located at the table that it belongs to. The number of a choice counts where the choices
            are written as a list, and is passed over where there is one, written as it is.
        """
        for size in range(len(path), -1, -1):
            for written in (path[:size], tuple(part for part in path[:size] if isinstance(part, str))):
                if written in self._places:
                    return self._places[written]
        return "kgfraud.toml"


Name = Annotated[str, StringConstraints(pattern=r"^\w[\w-]*(\.[\w-]+)*$"), AfterValidator(_short)]


class SourceSettings(_Located):
    """One ``[[sources]]`` table: a kind of source, its files and the mapping of its columns."""

    name: Name = Field(description="name, <system>.<table>; at most 100 characters")
    kind: str = Field(description="kind of source (kgfraud ref sources)")
    path: Pattern = Field(description="file, pattern or folder; relative to the workspace")
    mode: Mode = Field(default="full", description="full: closes what disappeared; append; upsert")
    format: Literal["csv", "parquet", "jsonl"] | None = Field(default=None, description="guessed from the path where it is not set")
    encoding: Encoding = Field(default="UTF-8", description="of CSV and JSON lines")
    separator: str = Field(default=",", min_length=1, max_length=1, description="between the cells of a CSV row")
    quote: str = Field(default='"', max_length=1, description="around a CSV cell; empty for none")
    record_id: Annotated[tuple[str, ...], BeforeValidator(_many)] = Field(default=(), description="columns that identify a row")
    unknown_end: UnknownEnd = Field(default="quarantine", description="what becomes of a row that refers to an unknown node")
    columns: dict[str, Picks] = Field(default_factory=dict, description="contract column = head, {column = head, …} or a list of choices")
    constants: dict[str, str] = Field(default_factory=dict, description="contract column = the same value in every row")
    where: dict[str, str] = Field(default_factory=dict, description="only the rows whose head equals the value")
    gate: Gate = Field(default=Gate(), description="what a delivery must hold")

    @property
    def numbers_parts(self) -> bool:
        """Whether a row may tell of several records that bear its id and a number: by a cell that is split and no part of the id."""
        splits = {name for name, picks in self.columns.items() if picks[0].split}
        return bool(self.record_id and splits - set(self.record_id))

    @property
    def namespace(self) -> str:
        """The part of the name before the first dot, or ``bank``: where the source's own ids are at home.

        >>> SourceSettings(name="finbench.Company", kind="companies", path="c.csv").namespace
        'finbench'
        >>> SourceSettings(name="companies", kind="companies", path="c.csv").namespace
        'bank'
        """
        before, dot, _ = self.name.partition(".")
        return before if dot else "bank"

    def files(self) -> tuple[Path, ...]:
        """Return the files that the path or pattern names now, in the order of their names."""
        return matching(self.path, self._root)

    def shown(self, file: Path) -> str:
        """Return how one of the files is called: by its name, and by its folders too where the pattern leaves these open."""
        base, parts = _taken_apart(self.path, self._root)
        fixed = len(list(takewhile(lambda part: not set(part) & set("*?["), parts)))
        if fixed >= len(parts) - 1:
            return file.name
        return file.relative_to(base.joinpath(*parts[:fixed])).as_posix()


class PackUse(_Located):
    """One ``[[sources]]`` table that takes its sources from a mapping pack."""

    mapping: str = Field(description="name of the pack")
    path: str = Field(min_length=1, description="folder of the files, or one of them")
    only: Annotated[tuple[str, ...], BeforeValidator(_many)] = Field(default=(), description="which sources of the pack")
    mode: Mode | None = Field(default=None, description="instead of the pack's")
    unknown_end: UnknownEnd | None = Field(default=None, description="instead of the pack's")
    gate: Gate | None = Field(default=None, description="instead of the pack's")


def matching(pattern: str, root: Path | None) -> tuple[Path, ...]:
    """Return the files that an absolute path or pattern names; a pattern sign in ``root`` itself is only a letter."""
    path = Path(pattern)
    if path.is_file():
        return (path,)
    base, parts = _taken_apart(pattern, root)
    found = base.glob(str(Path(*parts)))
    return tuple(sorted(file for file in found if file.is_file() and not file.name.startswith(".")))


def _taken_apart(pattern: str, root: Path | None) -> tuple[Path, tuple[str, ...]]:
    """Return the folder in which a pattern begins, of whose path no letter is a sign, and the parts of the pattern."""
    path = Path(pattern)
    base = root if root is not None and path.is_relative_to(root) else Path(path.anchor)
    return base, path.relative_to(base).parts
