"""What files can do to a reader: each gives a clear refusal or a row in quarantine, never a crash or a silent loss."""

import gzip
import os
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.config import SourceSettings
from kg.errors import GateError
from loaders.delivery import DeliveredFile, Delivery
from loaders.formats import csv as csv_format
from loaders.formats import stream
from loaders.readers import read_raw


def source(path: Path, **asked) -> SourceSettings:
    return SourceSettings(name="test.rows", kind="transfers", path=str(path), **asked)


def read(folder: Path, data: bytes, name: str = "rows.csv", **asked) -> list[dict]:
    (folder / name).write_bytes(data)
    found = source(folder / name, **asked)
    return [row for batch in read_raw(Delivery.find(found), found) for row in batch.table().to_pylist()]


def test_an_empty_file_is_refused_by_name(tmp_path):
    for data in (b"", b"\n\r\n", b"\xef\xbb\xbf", gzip.compress(b"")):
        with pytest.raises(GateError, match=r"rows\.csv is empty, not even a row of heads"):
            read(tmp_path, data)


def test_a_file_of_heads_alone_has_no_rows(tmp_path):
    for data in (b"a,b\n", b"a,b", b"\n\na,b\r\n\r\n"):
        assert read(tmp_path, data) == []


def test_an_empty_json_file_is_refused_if_it_would_close_everything(tmp_path):
    with pytest.raises(GateError, match=r"rows\.jsonl is empty, and test\.rows is a full delivery"):
        read(tmp_path, b"\n", "rows.jsonl")
    assert read(tmp_path, b"\n", "rows.jsonl", mode="append") == []


def test_ragged_rows_are_told_and_kept_as_they_stand(tmp_path):
    found = read(tmp_path, b'a,b\n1\n1,2\n1,2,3\n"x\ny",1,2\n,\n')
    assert [(row["_fault"], row["_text"], row["a"], row["_line"]) for row in found] == [
        ("|ragged|1 cells, not 2", b"1", None, 2),
        (None, None, "1", 3),
        ("|ragged|3 cells, not 2", b"1,2,3", None, 4),
        ("|ragged|3 cells, not 2", b'"x\ny",1,2', None, 5),
        (None, None, "", 7),
    ]


def test_rows_ragged_in_more_ways_than_are_counted_are_still_told(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_format, "_COUNTED", 2)
    found = read(tmp_path, b"a,b\n" + b"".join(b"," * cells + b"\n" for cells in range(2, 6)))
    assert [row["_fault"] for row in found] == [
        "|ragged|3 cells, not 2",
        "|ragged|4 cells, not 2",
        "|ragged|not 2 cells",
        "|ragged|not 2 cells",
    ]


@pytest.mark.parametrize("cell", [b"\0", b"x\0y", b'"\0"', b'"a""\0"', b'"a"\0'])
def test_a_nul_byte_faults_its_row_alone(tmp_path, cell):
    found = read(tmp_path, b"a,b\n1,2\n" + cell + b",3\n4,5\n")
    assert [row["_fault"] for row in found] == [None, "|nul|***", None]
    assert found[1]["_text"] == cell + b",3"
    assert found[1]["b"] is None


def test_a_nul_in_json_or_parquet_faults_its_row_alone(tmp_path):
    found = read(tmp_path, b'{"a":"\\u0000"}\n{"a":"\0"}\n{"a\\u0000":1}\n{"a":1}\n', "rows.jsonl")
    assert [row["_fault"] for row in found] == ["|nul|***"] * 3 + [None]
    pq.write_table(pa.table({"a": ["x\0y", "z", None]}), tmp_path / "rows.parquet")
    asked = source(tmp_path / "rows.parquet")
    assert [row["_fault"] for batch in read_raw(Delivery.find(asked), asked) for row in batch.table().to_pylist()] == [
        "|nul|***",
        None,
        None,
    ]


def gb18030_as(kind: pa.DataType) -> pa.Array:
    """A cell of text and one of GB18030 bytes, in a type of Parquet; a file may call text what is none."""
    data = pa.array(["名称".encode(), "名称".encode("gb18030"), None], pa.binary())
    if kind == pa.string():
        return pa.StringArray.from_buffers(3, data.buffers()[1], data.buffers()[2], data.buffers()[0])
    return data.cast(kind)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.string()], ids=str)
def test_parquet_bytes_are_read_as_utf8_and_others_fault_their_row_by_the_name_of_the_head(tmp_path, kind):
    cells = gb18030_as(kind)
    pq.write_table(pa.table({"payer": cells, "photo": cells, "note": cells}), tmp_path / "rows.parquet")
    asked = source(tmp_path / "rows.parquet", columns={"purpose": "note"})
    found = [row for batch in read_raw(Delivery.find(asked), asked) for row in batch.table().to_pylist()]
    assert [(row["payer"], row["_fault"]) for row in found] == [("名称", None), ("c3fbb3c6", "|encoding|payer"), (None, None)]
    unmapped = source(tmp_path / "rows.parquet", columns={"payer": "a", "purpose": "note"})
    assert [row["_fault"] for batch in read_raw(Delivery.find(unmapped), unmapped) for row in batch.table().to_pylist()][1] is not None


def test_parquet_bytes_in_a_column_that_nothing_is_read_from_fault_no_row(tmp_path):
    pq.write_table(pa.table({"payer": ["1"] * 3, "photo": gb18030_as(pa.binary())}), tmp_path / "rows.parquet")
    asked = source(tmp_path / "rows.parquet")
    assert [row["_fault"] for batch in read_raw(Delivery.find(asked), asked) for row in batch.table().to_pylist()] == [None] * 3


def test_parquet_words_and_nested_values_that_are_no_utf8_fault_their_row(tmp_path):
    text = gb18030_as(pa.string())
    for cells in (text.dictionary_encode(), pa.StructArray.from_arrays([text], ["a"])):
        pq.write_table(pa.table({"purpose": cells}), tmp_path / "rows.parquet", store_schema=False)
        asked = source(tmp_path / "rows.parquet")
        found = [row["_fault"] for batch in read_raw(Delivery.find(asked), asked) for row in batch.table().to_pylist()]
        assert found == [None, "|encoding|purpose", None]


def test_parquet_words_that_cannot_even_be_read_are_refused_by_file(tmp_path):
    words = pa.DictionaryArray.from_arrays(pa.array([1, None]), gb18030_as(pa.string()).slice(0, 2))
    pq.write_table(pa.table({"purpose": words}), tmp_path / "rows.parquet")
    asked = source(tmp_path / "rows.parquet")
    with pytest.raises(GateError, match=r"rows\.parquet holds text that is no UTF-8; nothing of it was taken"):
        list(read_raw(Delivery.find(asked), asked))


def test_a_parquet_column_of_a_type_without_text_is_refused_by_its_name(tmp_path, monkeypatch):
    def refuse(values):
        raise pa.ArrowNotImplementedError("no such cast")

    monkeypatch.setattr("loaders.formats.parquet._scalar", lambda values, kind: refuse(values))
    pq.write_table(pa.table({"n": [1]}), tmp_path / "rows.parquet")
    asked = source(tmp_path / "rows.parquet")
    with pytest.raises(GateError, match=r"rows\.parquet: the column 'n' is of the type int64, which has no text; nothing"):
        list(read_raw(Delivery.find(asked), asked))


def test_numbers_of_the_kind_uuid_have_their_usual_spelling(tmp_path):
    number = "2f1acc6c-5b4f-4a3e-9d0e-1f2a3b4c5d6e"
    pq.write_table(pa.table({"number": pa.array([uuid.UUID(number).bytes, None], pa.uuid())}), tmp_path / "rows.parquet")
    asked = source(tmp_path / "rows.parquet")
    assert [row["number"] for batch in read_raw(Delivery.find(asked), asked) for row in batch.table().to_pylist()] == [number, None]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=6).map(lambda data: bytes(byte for byte in data if byte not in b'",\r\n\0')), min_size=1, max_size=20))
def test_bytes_that_are_no_utf8_fault_exactly_their_rows(tmp_path_factory, values):
    found = read(tmp_path_factory.mktemp("bytes"), b"a,b\n" + b"".join(value + b",1\n" for value in values))
    assert [row["a"] for row in found] == [_decoded(value) for value in values]
    assert [row["_text"] for row in found] == [None if _decoded(value) is not None else value + b",1" for value in values]


@settings(deadline=None)
@given(st.lists(st.integers(0x80, 0x10FFFF), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_every_shape_of_wrong_utf8_is_found(tmp_path_factory, points, random):
    values = []
    for point in points:
        good = chr(point).encode("utf-8", "surrogatepass")
        values.append(random.choice([good, good[:-1], good[:-1] + b"z", b"\xc0\x80", b"\xf5" + good[1:], good + b"\x80"]))
    found = read(tmp_path_factory.mktemp("bytes"), b"a,b\n" + b"".join(value + b",1\n" for value in values))
    assert [row["a"] for row in found] == [_decoded(value) for value in values]


def _decoded(value: bytes, encoding: str = "utf-8") -> str | None:
    try:
        return value.decode(encoding)
    except UnicodeDecodeError:
        return None


def test_wrong_bytes_in_gb18030_fault_exactly_their_rows(tmp_path):
    values = ["中文".encode("gb18030"), b"\xff", b"\x80a", "𠮷".encode("gb18030"), b"\x81\x20", b"\xfe\xff"]
    found = read(tmp_path, b"a,b\n" + b"".join(value + b",1\n" for value in values), encoding="GB18030")
    assert [row["a"] for row in found] == [_decoded(value, "gb18030") for value in values]
    assert [row["_text"] for row in found if row["_fault"]] == [value + b",1" for value in values if _decoded(value, "gb18030") is None]


def test_a_character_cut_by_the_edge_of_a_chunk_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "_CHUNK", 3)
    monkeypatch.setattr(stream, "BLOCK", 1)
    for encoding in ("UTF-8", "GB18030"):
        assert read(tmp_path, "甲乙,b\n丙𠮷丁,戊\n".encode(encoding), encoding=encoding)[0]["甲乙"] == "丙𠮷丁"


def test_heads_in_another_encoding_are_refused_with_the_way_out(tmp_path):
    with pytest.raises(GateError, match=r"rows\.csv: the heads are not UTF-8; perhaps the file is in GB18030 \(set encoding\)"):
        read(tmp_path, "企业,金额\n1,2\n".encode("gb18030"))
    with pytest.raises(GateError, match=r"the heads are not GB18030; perhaps the file is in UTF-8"):
        read(tmp_path, "\x80企,\x80\n1,2\n".encode(), encoding="GB18030")


@pytest.mark.parametrize(("name", "packed"), [("rows.csv", bytes), ("rows.csv.gz", gzip.compress), ("rows.jsonl", bytes)])
def test_utf_8_that_is_said_to_be_gb18030_is_refused_though_it_could_be_read_as_other_characters(tmp_path, name, packed):
    text = '{"企业名称": "北京某某贸易有限公司"}\n' if name.endswith("jsonl") else "企业名称,金额\n北京某某贸易有限公司,1\n"
    assert text.encode().decode("gb18030", "ignore")
    for mark in (b"", b"\xef\xbb\xbf"):
        with pytest.raises(GateError, match=r'is in UTF-8, not in GB18030; nothing of it was taken, set encoding = "UTF-8"'):
            read(tmp_path, packed(mark + text.encode()), name, encoding="GB18030")
    assert len(read(tmp_path, packed(text.encode("gb18030")), name, encoding="GB18030")) == 1


def test_a_short_file_a_damaged_one_and_one_whose_chinese_lies_across_the_edge_of_a_chunk_are_known_as_utf_8(tmp_path, monkeypatch):
    torn = "".join(f"A{n},杭州市西湖区某某公司\n" for n in range(9)).encode() + b"B,\xff\n"
    for data in ("a,b\nA,杭州公司\n".encode(), b"\xef\xbb\xbfa,b\nA,1\n", b"a,b\n" + torn):
        with pytest.raises(GateError, match="is in UTF-8, not in GB18030"):
            read(tmp_path, data, encoding="GB18030")
    monkeypatch.setattr(stream, "_CHUNK", 64)
    for edge in range(60, 66):
        with pytest.raises(GateError, match="is in UTF-8, not in GB18030"):
            read(tmp_path, b"a,b\n" + b"x" * (edge - 7) + ",北京某某贸易有限公司\n".encode() * 3, encoding="GB18030")


@pytest.mark.parametrize("word", ["100元", "千元", "锟斤拷", "女母支千医西协", "元杭州公司", "联通"])
def test_gb18030_that_happens_to_be_utf_8_byte_by_byte_is_read_as_what_it_is(tmp_path, word):
    found = read(tmp_path, ("a,b\n" + f"1,{word}\n" * 30).encode("gb18030"), encoding="GB18030")
    assert {row["b"] for row in found} == {word}


def test_utf_16_is_refused_by_its_name(tmp_path):
    with pytest.raises(GateError, match=r"rows\.csv is in UTF-16; save it as UTF-8"):
        read(tmp_path, "a,b\n1,2\n".encode("utf-16"))
    with pytest.raises(GateError, match=r"NUL byte is among the heads; perhaps the file is in UTF-16"):
        read(tmp_path, "a,b\n1,2\n".encode("utf-16-le"))


@pytest.mark.parametrize("data", [b'a,b\n1,2\n3,"open\n5,6\n', b'a,b\n1,2\n3,"', b'a,b\n1,2\n3,"x""'])
def test_a_quote_that_is_never_closed_is_refused_with_its_line(tmp_path, data):
    with pytest.raises(GateError, match=r"rows\.csv line 3: the quote opened there is never closed"):
        read(tmp_path, data)


@pytest.mark.parametrize("closed", [b'"\n', b""])
def test_a_quote_that_swallows_a_megabyte_of_lines_is_refused_with_its_line(tmp_path, monkeypatch, closed):
    monkeypatch.setattr(csv_format, "LONGEST_QUOTE", 1000)
    for block in (100, 1 << 20):
        monkeypatch.setattr(stream, "BLOCK", block)
        with pytest.raises(GateError, match=r"rows\.csv line 4: the quote opened there is not closed within .* swallows the lines"):
            read(tmp_path, b'a,b\n1,2\n\n3,"x\n' + b"5,6\n" * 300 + closed)


def test_a_long_quoted_cell_of_one_line_is_no_open_quote(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_format, "LONGEST_QUOTE", 1000)
    assert len(read(tmp_path, b'a,b\n1,"' + b"x" * 2000 + b'"\n')[0]["b"]) == 2000


def test_a_row_without_end_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "LONGEST", 1 << 20)
    monkeypatch.setattr(stream, "BLOCK", 1 << 18)
    with pytest.raises(GateError, match=r"rows\.csv holds a row of more than 1 MB; check its line ends, separator and quotes"):
        read(tmp_path, b"a,b\n1," + b"x" * (3 << 20))


PACKED = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(5000)), mtime=0)


@pytest.mark.parametrize("size", [1, 5, 10, 11, len(PACKED) // 2, len(PACKED) - 8, len(PACKED) - 1])
def test_gzip_that_was_cut_short_is_refused_by_name(tmp_path, size):
    with pytest.raises(GateError, match=r"rows\.csv\.gz is (cut short|damaged).*nothing of it was taken"):
        read(tmp_path, PACKED[:size], "rows.csv.gz")


@pytest.mark.parametrize("place", [12, 60, len(PACKED) // 2, len(PACKED) - 6, len(PACKED) - 2])
def test_gzip_with_a_wrong_byte_is_refused_by_name(tmp_path, place):
    wrong = bytearray(PACKED)
    wrong[place] ^= 0xFF
    with pytest.raises(GateError, match=r"rows\.csv\.gz is (cut short|damaged)"):
        read(tmp_path, bytes(wrong), "rows.csv.gz")


@pytest.mark.parametrize(
    "garbage", [b"x", b"not packed", b"\0\0x", b"\x1f\x8b", PACKED[:50]], ids=["a sign", "words", "nul", "its mark", "its begin"]
)
def test_anything_behind_gzip_is_refused_by_name(tmp_path, garbage):
    with pytest.raises(GateError, match=r"rows\.csv\.gz is (cut short|damaged)"):
        read(tmp_path, PACKED + garbage, "rows.csv.gz")


def test_a_file_that_only_calls_itself_gzip_is_refused(tmp_path):
    for data in (b"a,b\n1,2\n", b""):
        with pytest.raises(GateError, match=r"rows\.csv\.gz is"):
            read(tmp_path, data, "rows.csv.gz")


def test_gzip_that_unpacks_to_far_more_than_a_block_stays_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "BLOCK", 1 << 14)
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"0,0\n" * 200_000))
    asked = source(tmp_path / "rows.csv.gz")
    sizes = [batch.num_rows for batch in read_raw(Delivery.find(asked), asked)]
    assert sum(sizes) == 200_000
    assert max(sizes) < 20_000


@pytest.mark.parametrize("keep", [0, 4, 100, -1, -8])
def test_parquet_that_was_cut_short_is_refused_by_name(tmp_path, keep):
    pq.write_table(pa.table({"a": list(range(1000))}), tmp_path / "whole.parquet")
    data = (tmp_path / "whole.parquet").read_bytes()
    with pytest.raises(GateError, match=r"rows\.parquet is no whole Parquet file .*nothing of it was taken"):
        read(tmp_path, data[:keep], "rows.parquet")


def test_parquet_with_a_damaged_page_is_refused_by_name(tmp_path):
    pq.write_table(
        pa.table({"a": [f"value {n}" for n in range(5000)]}), tmp_path / "whole.parquet", compression="zstd", use_dictionary=False
    )
    data = bytearray((tmp_path / "whole.parquet").read_bytes())
    data[40:400] = bytes(360)
    with pytest.raises(GateError, match=r"rows\.parquet is no whole Parquet file"):
        read(tmp_path, bytes(data), "rows.parquet")


BODIES = {
    "rows.csv": b"a,b\n" + b"1,2\n" * 400,
    "rows.csv.gz": gzip.compress(os.urandom(3000).hex().encode() + b"\n" + b"1\n" * 400),
    "rows.jsonl": b'{"a":1}\n' * 400,
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("change", ["append", "overwrite", "truncate", "replace", "remove", "touch back"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch, name, change):
    monkeypatch.setattr(stream, "BLOCK", 64)
    monkeypatch.setattr(stream, "_CHUNK", 64)
    path = tmp_path / name
    path.write_bytes(BODIES[name])
    asked = source(path)
    delivery = Delivery.find(asked)
    batches = read_raw(delivery, asked)
    next(batches)
    _change(path, change)
    with pytest.raises(GateError, match=rf"{path.name} (changed while it was read|cannot be read|is cut short|is damaged)"):
        list(batches)
    assert delivery.digests == {}


@pytest.mark.parametrize("change", ["append", "overwrite", "replace", "remove"])
def test_parquet_that_changes_while_it_is_read_is_refused(tmp_path, change):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"a": list(range(1000))}), path)
    asked = source(path)
    batches = read_raw(Delivery.find(asked), asked)
    next(batches)
    _change(path, change)
    with pytest.raises(GateError, match=r"rows\.parquet (changed while it was read|cannot be read|is no whole Parquet)"):
        list(batches)


def _change(path: Path, change: str) -> None:
    status = path.stat()
    if change == "append":
        with path.open("ab") as file:
            file.write(b"3,4\n")
    elif change in ("overwrite", "touch back"):
        with path.open("r+b") as file:
            file.seek(status.st_size - 8)
            file.write(b"9" * 4)
        if change == "touch back":
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "truncate":
        os.truncate(path, status.st_size - 20)
    elif change == "replace":
        other = path.with_name("other")
        other.write_bytes(path.read_bytes())
        other.replace(path)
    else:
        path.unlink()


def test_a_file_that_changed_between_listing_and_reading_is_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a\n1\n")
    asked = source(path)
    delivery = Delivery.find(asked)
    path.write_bytes(b"a\n1\n2\n")
    with pytest.raises(GateError, match=r"rows\.csv changed while it was read"):
        list(read_raw(delivery, asked))
    path.unlink()
    with pytest.raises(GateError, match=r"rows\.csv cannot be read \(No such file or directory\)"):
        list(read_raw(delivery, asked))
    with pytest.raises(GateError, match=r"rows\.csv cannot be read"):
        DeliveredFile.of(path)


def test_a_device_that_fails_while_it_is_read_is_told(tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a\n1\n")
    with DeliveredFile.of(path).open() as opened:
        opened.raw.close()
        monkeypatch.setattr(opened, "raw", _Failing())
        with pytest.raises(GateError, match=r"rows\.csv cannot be read \(Input/output error\)"):
            opened.read(10)


class _Failing:
    def read(self, size: int) -> bytes:
        raise OSError(5, os.strerror(5))


def test_no_cell_of_a_refused_row_is_in_its_fault(tmp_path):
    secret = "110101199003074514"
    for data, name in (
        (f"a,b\n{secret},1,2\n{secret},\xff\n{secret}\0,1\n".encode("latin-1"), "rows.csv"),
        (f'{{"a":{secret}\n["{secret}"]\n{{"{secret}":1,"{secret}":2}}\n'.encode(), "rows.jsonl"),
    ):
        found = read(tmp_path, data, name)
        assert len(found) == 3
        assert all(row["_fault"] and secret not in row["_fault"] for row in found)
