import codecs
import csv
import gzip
import io
import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg.config import SourceSettings
from kg.errors import GateError, UsageError
from loaders.delivery import Delivery
from loaders.formats import part, stream
from loaders.formats.parquet import Parquet
from loaders.readers import collect_raw, read_raw, restored

#: Compiled loops are loaded, or compiled, by whichever example comes first.
slow_start = settings(deadline=None)

PLACE = ("_file", "_line", "_row", "_fault", "_text", "_heads")


def source(path: Path, **asked) -> SourceSettings:
    return SourceSettings(name="test.rows", kind="transfers", path=str(path), **asked)


def deliver(folder: Path, data: bytes, name: str = "rows.csv", **asked) -> tuple[Delivery, SourceSettings]:
    (folder / name).write_bytes(data)
    found = source(folder / name, **asked)
    return Delivery.find(found), found


def rows(delivery: Delivery, asked: SourceSettings) -> list[dict]:
    return [row for batch in read_raw(delivery, asked) for row in batch.table().to_pylist()]


def cells(found: list[dict]) -> list[tuple]:
    return [tuple(value for name, value in row.items() if name not in PLACE) for row in found]


def read(folder: Path, data: bytes, name: str = "rows.csv", **asked) -> list[dict]:
    return rows(*deliver(folder, data, name, **asked))


# --- CSV -----------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TABLES = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=12))


@slow_start
@given(TABLES, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@example([["a"], ['"']], "\n", True)
@example([["h", "i"], ["\r", "\n\r\n"], ["", ""]], "\r\n", False)
def test_what_pythons_csv_module_writes_is_read_back(tmp_path_factory, table, line_end, quote_all):
    buffer = io.StringIO(newline="")
    heads, body = [f"h{column}" for column in range(len(table[0]))], table
    # Left to itself the module writes a line end in a cell without quotes if it is not the file's own.
    bare = any(sign in cell for row in body for cell in row for sign in "\r\n")
    writer = csv.writer(buffer, lineterminator=line_end, quoting=csv.QUOTE_ALL if quote_all or bare else csv.QUOTE_MINIMAL)
    writer.writerows([heads, *body])
    found = read(tmp_path_factory.mktemp("csv"), buffer.getvalue().encode())
    assert cells(found) == [tuple(row) for row in body]


@slow_start
@given(st.text(st.sampled_from('ab,"\n\r x'), max_size=40), st.integers(1, 7))
def test_any_text_is_read_as_pythons_csv_module_reads_it(tmp_path_factory, text, block):
    """The rows, their lines and the ragged ones, whatever the quotes do, and wherever a block ends."""
    folder = tmp_path_factory.mktemp("csv")
    reader = csv.reader(io.StringIO("x,y\n" + text, newline=""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "BLOCK", block)
        patch.setattr(stream, "_CHUNK", block)
        # A quote is open at the end exactly if a line put behind it becomes part of a cell.
        if list(csv.reader(io.StringIO(f"{text}\nEND", newline="")))[-1] != ["END"]:
            with pytest.raises(GateError, match="never closed"):
                read(folder, b"x,y\n" + text.encode())
            return
        found = read(folder, b"x,y\n" + text.encode())
    expected = [row for row in list(reader)[1:] if row]
    assert [None if row["_fault"] else [row["x"], row["y"]] for row in found] == [row if len(row) == 2 else None for row in expected]
    assert [row["_row"] for row in found] == list(range(len(found)))


def test_every_row_knows_its_physical_line(tmp_path):
    data = b'a,b\n1,"two\nlines"\n\n2,x\n3,4,5\n"q\r\nr\rs",y\r\n\r\n\r\n7,8\n9'
    found = read(tmp_path, data)
    assert [(row["_line"], row["_fault"]) for row in found] == [
        (2, None),
        (5, None),
        (6, "|ragged|3 cells, not 2"),
        (7, None),
        (12, None),
        (13, "|ragged|1 cells, not 2"),
    ]
    assert [row["_text"] for row in found if row["_fault"]] == [b"3,4,5", b"9"]
    assert cells(found)[3] == ("q\r\nr\rs", "y")


def test_lines_and_rows_are_counted_through_blocks_and_batches(tmp_path, monkeypatch):
    body = "".join(f'{number},"a\nb"\n\n' for number in range(50))
    expected = [(2 + 3 * number, number, str(number)) for number in range(50)]
    for block, most in ((1, 1), (10, 3), (64, 7), (1 << 20, 250_000)):
        monkeypatch.setattr(stream, "BLOCK", block)
        monkeypatch.setattr("loaders.formats.csv.ROWS", most)
        delivery, asked = deliver(tmp_path, f"n,t\n{body}".encode())
        batches = list(read_raw(delivery, asked))
        assert max(batch.num_rows for batch in batches) <= most
        found = [row for batch in batches for row in batch.table().to_pylist()]
        assert [(row["_line"], row["_row"], row["n"]) for row in found] == expected


def test_a_byte_order_mark_is_no_part_of_the_first_head(tmp_path):
    assert read(tmp_path, codecs.BOM_UTF8 + b"a,b\n1,2\n")[0]["a"] == "1"


def test_gb18030_is_read_to_the_same_text(tmp_path):
    text = "企业名称,金额\n北京𠮷野家,１２\n"
    assert cells(read(tmp_path, text.encode("gb18030"), encoding="GB18030")) == cells(read(tmp_path, text.encode()))


def test_packed_files_are_known_by_their_first_bytes(tmp_path):
    plain = b"a,b\n1,2\n3,4\n"
    members = gzip.compress(plain[:6]) + gzip.compress(plain[6:]) + bytes(512)
    for name in ("rows.csv.gz", "rows.csv"):
        assert cells(read(tmp_path, members, name)) == [("1", "2"), ("3", "4")]


def test_separator_and_quote_are_what_the_source_says(tmp_path):
    assert cells(read(tmp_path, b"a|b\n'x|y'|\"\n", separator="|", quote="'")) == [("x|y", '"')]
    assert cells(read(tmp_path, b'a\tb\n"x\t"y\n', separator="\t", quote="")) == [('"x', '"y')]


@pytest.mark.parametrize("asked", [{"separator": "，"}, {"quote": "“"}, {"separator": '"'}, {"separator": "\n"}])
def test_a_separator_or_quote_that_cannot_be_is_refused(tmp_path, asked):
    with pytest.raises(UsageError, match=r"test\.rows"):
        read(tmp_path, b"a,b\n1,2\n", **asked)


def test_repeated_blank_and_reserved_heads_have_columns_of_their_own(tmp_path):
    batch = list(read_raw(*deliver(tmp_path, b"a,a,,_row\n1,2,3,4\n")))[-1]
    assert batch.heads == ("a", "a", "", "_row")
    assert batch.cells.to_pylist() == [{"a": "1", "a#2": "2", "#3": "3", "_row#4": "4"}]


def test_a_very_long_cell_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "BLOCK", 1 << 12)
    monkeypatch.setattr(stream, "_CHUNK", 1 << 10)
    long, quoted = b"x" * 50_000, b'"' + b'""' * 20_000 + b'"'
    found = read(tmp_path, b"a,b\n1," + long + b"\n" + quoted + b",2\n3,4\n")
    assert cells(found) == [("1", long.decode()), ('"' * 20_000, "2"), ("3", "4")]


# --- several files -------------------------------------------------------------------------------


def test_files_of_a_pattern_are_one_delivery_whatever_the_order_of_their_heads(tmp_path):
    (tmp_path / "b.csv").write_bytes(b"y,x\n2,1\n")
    (tmp_path / "a.csv").write_bytes(b"x,y,z\n3,4,5\n6,7,8\n")
    asked = source(tmp_path / "*.csv")
    delivery = Delivery.find(asked)
    found = rows(delivery, asked)
    assert [(row["_file"], row["_row"], row["_line"], row["x"], row["y"]) for row in found] == [
        (0, 0, 2, "3", "4"),
        (0, 1, 3, "6", "7"),
        (1, 2, 2, "1", "2"),
    ]
    assert delivery.rows == {0: 2, 1: 1}
    assert delivery.size == 26


def test_a_folder_means_all_its_files_but_hidden_ones(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"x\n1\n")
    (tmp_path / ".b.csv").write_bytes(b"x\n2\n")
    assert [file.name for file in Delivery.find(source(tmp_path)).files] == ["a.csv"]


def test_no_file_at_all_is_refused_by_name(tmp_path):
    with pytest.raises(GateError, match=r"test\.rows: no file at .*missing\*\.csv"):
        Delivery.find(source(tmp_path / "missing*.csv"))


def test_an_ending_that_means_nothing_needs_a_format(tmp_path):
    with pytest.raises(UsageError, match=r"ending of rows\.dat does not say its format; set format to one of csv, parquet, jsonl"):
        read(tmp_path, b"a\n1\n", "rows.dat")
    assert cells(read(tmp_path, b"a\n1\n", "rows.dat", format="csv")) == [("1",)]


def test_progress_adds_up_to_all_rows_and_bytes(tmp_path):
    delivery, asked = deliver(tmp_path, b"a\n1\n2\n")
    told: list[tuple[int, int]] = []
    list(read_raw(delivery, asked, lambda count, size: told.append((count, size))))
    assert (sum(count for count, _ in told), sum(size for _, size in told)) == (2, delivery.size)


# --- JSON lines ----------------------------------------------------------------------------------

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8)


@slow_start
@given(st.lists(st.dictionaries(TEXT, VALUES, max_size=5), min_size=1, max_size=8), st.booleans(), st.integers(1, 200))
def test_json_lines_keep_each_value_as_it_is_written(tmp_path_factory, objects, ascii_only, block):
    folder = tmp_path_factory.mktemp("json")
    text = "".join(json.dumps(item, ensure_ascii=ascii_only) + "\n" for item in objects)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "BLOCK", block)
        delivery, asked = deliver(folder, text.encode(), "rows.jsonl")
        found = [(batch.heads, row) for batch in read_raw(delivery, asked) for row in batch.table().to_pylist()]
    for item, (heads, row) in zip(objects, found, strict=True):
        got = dict(zip(heads, row.values(), strict=False))
        for key, value in item.items():
            expected = value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=ascii_only)
            assert got.pop(key) == expected
        assert set(got.values()) <= {None}


def test_numbers_in_json_keep_their_digits(tmp_path):
    found = read(tmp_path, b'{"n": 1.10}\n{"n": 12345678901234567890.10}\n{"n":1E-7}\n{"n":-0}', "rows.jsonl")
    assert cells(found) == [("1.10",), ("12345678901234567890.10",), ("1E-7",), ("-0",)]


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":.5}',
        b'{"a":1.}',
        b'{"a":1e}',
        b'{"a":nul}',
        b'{"a":NaN}',
        b'{"a":"x}',
        b'{"a":"\\x"}',
        b'{"a":"\\n\t"}',
        b'{"a":"\\n',
        b'{"a":"\\u12g4"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00"}',
        b'{"a":"\\ud800\\u0041"}',
        b'{"a":"\t"}',
        b'{"a":[1,]}',
        b'{"a":[1}',
        b'{"a":{"b"}}',
        b'{"a":{"b":1,}}',
        b'{"a":["\\x"]}',
        b'{"a":["\n"]}'.replace(b"\n", b"\x01"),
        b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"a" 1}',
        b'{"a":}',
        b'{"a":',
        b"{a:1}",
        b'{"a":1}{"a":2}',
        b'{"a":1,"a":2}',
        b"[1]",
        b"1",
        b'"a"',
        b"'a'",
    ],
)
def test_a_malformed_line_spoils_no_other(tmp_path, line):
    found = read(tmp_path, b'{"a":1}\n' + line + b'\n{"a":3}\n', "rows.jsonl")
    assert [(row["a"], row["_fault"], row["_text"], row["_line"]) for row in found] == [
        ("1", None, None, 1),
        (None, "|json|***", line, 2),
        ("3", None, None, 3),
    ]


@slow_start
@given(st.text(st.sampled_from('{}[]",:\\ \t0123e.-tnu"abc'), max_size=30))
def test_a_line_is_sound_exactly_if_pythons_json_reads_it_as_an_object(tmp_path_factory, text):
    def strictly(number: str) -> None:
        raise ValueError(number)

    def once(pairs: list[tuple[str, object]]) -> dict:
        if len(dict(pairs)) < len(pairs) and pairs is not None:
            raise KeyError("repeated")
        return dict(pairs)

    try:
        expected = isinstance(json.loads(text, parse_constant=strictly), dict)
    except ValueError:
        expected = False
    found = read(tmp_path_factory.mktemp("json"), f'{{"a":1}}\n{text}\n'.encode(), "rows.jsonl")[1:]
    if not text.strip():
        assert not found
    elif expected and _repeats_at_the_top(text):
        assert found[0]["_fault"] == "|json|***"
    else:
        assert (found[0]["_fault"] is None) == expected


def _repeats_at_the_top(text: str) -> bool:
    tops: list[int] = []
    json.loads(text, object_pairs_hook=lambda pairs: tops.append(len(pairs) - len(dict(pairs))))
    return bool(tops[-1])


def test_blank_lines_and_json_line_ends_are_counted(tmp_path):
    found = read(tmp_path, b'\r\n{"a":1}\r\n  \n {"a":2} ', "rows.jsonl")
    assert [(row["_line"], row["a"]) for row in found] == [(2, "1"), (4, "2")]


def test_json_keys_that_reach_the_readers_own_names_are_kept_apart(tmp_path):
    found = read(tmp_path, b'{"_row":"x","":"y"}\n', "rows.jsonl")
    assert (found[0]["_row#1"], found[0]["#2"], found[0]["_row"]) == ("x", "y", 0)


# --- Parquet -------------------------------------------------------------------------------------


def parquet(folder: Path, table: pa.Table, name: str = "rows.parquet", **asked) -> list[dict]:
    pq.write_table(table, folder / name, **asked)
    found = source(folder / name)
    return rows(Delivery.find(found), found)


@slow_start
@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=20))
def test_floats_are_written_shortly_and_read_back_the_same(tmp_path_factory, numbers):
    found = parquet(tmp_path_factory.mktemp("pq"), pa.table({"n": pa.array(numbers, pa.float64())}))
    for number, row in zip(numbers, found, strict=True):
        if math.isnan(number):
            assert row["n"] is None
            continue
        assert float(row["n"]) == number
        if abs(number) < 1e15:
            assert "e" not in row["n"].lower()


@slow_start
@given(st.lists(st.decimals(-(10**12), 10**12, places=9), min_size=1, max_size=20))
def test_decimals_are_written_without_exponent(tmp_path_factory, numbers):
    found = parquet(tmp_path_factory.mktemp("pq"), pa.table({"n": pa.array(numbers, pa.decimal128(24, 9))}))
    assert [Decimal(row["n"]) for row in found] == numbers
    assert not any("e" in row["n"].lower() for row in found)


def test_every_type_of_parquet_has_one_text(tmp_path):
    moment = datetime(2020, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
    table = pa.table(
        {
            "int": pa.array([-5, None], pa.int64()),
            "bool": [True, False],
            "day": [date(2020, 1, 2), None],
            "naive": pa.array([moment.replace(tzinfo=None), None], pa.timestamp("ms")),
            "zoned": pa.array([moment, None], pa.timestamp("us", "Asia/Shanghai")),
            "float32": pa.array([0.1, None], pa.float32()),
            "float16": pa.array([1.5, None], pa.float32()).cast(pa.float16()),
            "word": pa.array(["x", None]).dictionary_encode(),
            "bytes": [b"\xe4\xb8\xad", b"\xff"],
            "list": [[1, 2], None],
            "struct": [{"a": "x"}, None],
            "nothing": pa.nulls(2),
        }
    )
    first, second = parquet(tmp_path, table)
    assert {name: first[name] for name in table.column_names} == {
        "int": "-5",
        "bool": "true",
        "day": "2020-01-02",
        "naive": "2020-01-02 03:04:05.678",
        "zoned": "2020-01-02 03:04:05.678900+00:00",
        "float32": "0.1",
        "float16": "1.5",
        "word": "x",
        "bytes": "中",
        "list": "[1,2]",
        "struct": '{"a":"x"}',
        "nothing": None,
    }
    assert {name for name in table.column_names if second[name] is None} == set(table.column_names) - {"bool", "bytes"}
    assert second["bytes"] == "ff"


def test_parquet_rows_are_numbered_through_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("loaders.formats.parquet.ROWS", 3)
    found = parquet(tmp_path, pa.table({"n": list(range(10))}), row_group_size=4)
    assert [(row["_line"], row["_row"], row["n"]) for row in found] == [(n + 1, n, str(n)) for n in range(10)]


def test_parquet_without_rows_still_shows_its_heads(tmp_path):
    pq.write_table(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.list_(pa.int64()))}), tmp_path / "rows.parquet")
    found = source(tmp_path / "rows.parquet")
    assert [(batch.heads, batch.num_rows) for batch in read_raw(Delivery.find(found), found)] == [(("a", "b"), 0)]


# --- second pass ---------------------------------------------------------------------------------


def test_rows_are_collected_by_their_numbers_from_the_files_that_hold_them(tmp_path, monkeypatch):
    monkeypatch.setattr("loaders.formats.csv.ROWS", 2)
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text("x," + name + "\n" + "".join(f"{name}{n},{n}\n" for n in range(5)))
    asked = source(tmp_path / "*.csv")
    delivery = Delivery.find(asked)
    everything = rows(delivery, asked)
    (tmp_path / "b.csv").rename(tmp_path / "gone")
    table = collect_raw(delivery, asked, pa.array([1, 13, 4, 4], pa.int64()))
    assert table["x"].to_pylist() == ["a1", "a4", "c3"]
    assert table["_row"].to_pylist() == [1, 4, 13]
    assert table["_line"].to_pylist() == [everything[row]["_line"] for row in (1, 4, 13)]
    assert table.column_names == ["x", "a", "c", *PLACE]
    assert collect_raw(delivery, asked, pa.array([], pa.int64())).num_rows == 0


def test_rows_of_a_file_that_was_replaced_are_not_collected(tmp_path):
    delivery, asked = deliver(tmp_path, b"a\n1\n")
    rows(delivery, asked)
    (tmp_path / "rows.csv").write_bytes(b"a\n2\n")
    again = Delivery(delivery.source, Delivery.find(asked).files, delivery.digests, delivery.rows)
    with pytest.raises(GateError, match=r"rows\.csv is not the file that was read before"):
        collect_raw(again, asked, pa.array([0], pa.int64()))


def test_rows_are_collected_only_of_files_that_were_read(tmp_path):
    delivery, asked = deliver(tmp_path, b"a\n1\n")
    with pytest.raises(GateError, match=r"rows\.csv was not read to its end"):
        collect_raw(delivery, asked, pa.array([0], pa.int64()))


def kept(delivery: Delivery, asked: SourceSettings) -> pa.Table:
    """All rows, as they are sealed and opened again."""
    count = len(rows(delivery, asked))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, (table := collect_raw(delivery, asked, pa.array(range(count), pa.int64()))).schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_stream(sink.getvalue()).read_all()


def again(table: pa.Table, asked: SourceSettings) -> list[dict]:
    return sorted((row for batch in restored(table, asked) for row in batch.table().to_pylist()), key=lambda row: row["_row"])


def test_kept_rows_are_the_same_rows_again(tmp_path):
    for data, name in ((b'a,b\n1,"x\ny"\n2\n3,\xff\n', "rows.csv"), (b'{"a":1}\n{\n{"b":2}\n', "rows.jsonl")):
        delivery, asked = deliver(tmp_path, data, name)
        before = rows(delivery, asked)
        after = again(kept(delivery, asked), asked)
        assert [row | {"_heads": None} for row in map(filled, after)] == [row | {"_heads": None} for row in map(filled, before)]


def filled(row: dict) -> dict:
    return {name: value for name, value in row.items() if value is not None}


def test_kept_rows_are_read_under_a_mended_quote_and_encoding(tmp_path):
    delivery, asked = deliver(tmp_path, "a,b\n'x,y',中\n".encode("gb18030"))
    table = kept(delivery, asked)
    assert table["_fault"].to_pylist() == ["|ragged|3 cells, not 2"]
    assert table["_text"].to_pylist() == ["'x,y',中".encode("gb18030")]
    mended = asked.model_copy(update={"quote": "'", "encoding": "GB18030"})
    assert [(row["a"], row["b"], row["_fault"], row["_text"]) for row in again(table, mended)] == [("x,y", "中", None, None)]


def test_a_kept_row_whose_quote_is_open_under_other_settings_stays_refused(tmp_path):
    delivery, asked = deliver(tmp_path, b"a,b\n'x,y,z\n")
    mended = asked.model_copy(update={"quote": "'"})
    assert [row["_fault"] for row in again(kept(delivery, asked), mended)] == ["|ragged|0 cells, not 2"]


def test_rows_kept_as_text_are_no_rows_of_a_parquet_file(tmp_path):
    with pytest.raises(GateError, match=r"test\.rows is Parquet now, but 1 refused rows with 2 heads were kept as text"):
        Parquet().restore([b"1,2,3"], ("a", "b"), source(tmp_path))


def test_bad_bytes_of_a_gb18030_file_are_kept_as_they_were(tmp_path):
    delivery, asked = deliver(tmp_path, b"a,b\n\xff\x80,\xd6\xd0\n1,2\n", encoding="GB18030")
    table = kept(delivery, asked)
    assert table["_text"].to_pylist() == [b"\xff\x80,\xd6\xd0", None]
    assert table["_fault"].to_pylist() == ["|encoding|***", None]


def test_a_part_never_exceeds_the_size_that_bounds_memory():
    assert part.ROWS <= 250_000
    assert stream.BLOCK <= 32 << 20
