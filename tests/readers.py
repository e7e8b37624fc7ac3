"""Reads every table of a lake with DuckDB, Polars and pyarrow, one glob each, and holds their row counts together."""

import glob
import pathlib
import sys

import duckdb
import polars
import pyarrow.compute
import pyarrow.dataset

lake = sys.argv[1]
tables = sorted({pathlib.Path(path).stem for path in glob.glob(f"{lake}/*/*.parquet")})
assert {"packets", "flows", "dns", "captures", "modbus"} <= set(tables), tables
for table in tables:
    pattern = f"{lake}/*/{table}.parquet"
    files = glob.glob(pattern)
    arrow = pyarrow.dataset.dataset(files, format="parquet").to_table()
    duck = duckdb.execute(f"SELECT count(*) FROM read_parquet('{pattern}')").fetchone()[0]
    lazy = polars.scan_parquet(pattern).select(polars.len()).collect().item()
    assert duck == lazy == arrow.num_rows > 0, (table, duck, lazy, arrow.num_rows)
    polars.read_parquet(pattern)
    assert str(arrow.schema.field("ts").type) == "timestamp[ns, tz=UTC]", table
top = duckdb.execute(f"SELECT query FROM read_parquet('{lake}/*/dns.parquet') WHERE NOT is_response GROUP BY query ORDER BY count(*) DESC, query LIMIT 1").fetchone()
assert top and top[0], top

# Times, unsigned numbers and lists are the same thing to all of them, in type and in value. Times are compared in microseconds,
# at which those of older DuckDB end.
TYPES = [
    # table, column, pyarrow, DuckDB, Polars
    ("flows", "ts", "timestamp[ns, tz=UTC]", ("TIMESTAMPTZ_NS", "TIMESTAMP WITH TIME ZONE"), polars.Datetime("ns", "UTC")),
    ("flows", "orig_bytes", "uint64", ("UBIGINT",), polars.UInt64),
    ("dns", "ttls", "list<item: uint32>", ("UINTEGER[]",), polars.List(polars.UInt32)),
    ("modbus", "values", "list<item: uint16>", ("USMALLINT[]",), polars.List(polars.UInt16)),
    ("tls", "cipher_codes", "list<item: uint16>", ("USMALLINT[]",), polars.List(polars.UInt16)),
]
for table, column, in_arrow, in_duck, in_polars in TYPES:
    pattern = f"{lake}/*/{table}.parquet"
    arrow = pyarrow.dataset.dataset(glob.glob(pattern), format="parquet").to_table(columns=[column]).column(column)
    lazy = polars.scan_parquet(pattern).select(column).collect()[column]
    asked = duckdb.execute(f"SELECT \"{column}\" FROM read_parquet('{pattern}')")
    types = (str(arrow.type), str(asked.description[0][1]), lazy.dtype)
    assert types[::2] == (in_arrow, in_polars) and types[1] in in_duck, (table, column, types)
    if column == "ts":
        arrow, lazy = pyarrow.compute.divide(arrow.cast("int64"), 1000), lazy.dt.epoch("us")
        asked = duckdb.execute(f"SELECT epoch_ns(ts) // 1000 FROM read_parquet('{pattern}')")
    # Readers take the files in an order of their own.
    values = [sorted(map(str, rows)) for rows in (arrow.to_pylist(), lazy.to_list(), [row[0] for row in asked.fetchall()])]
    assert values[0] == values[1] == values[2], (table, column)
    assert any(row not in ("None", "[]") for row in values[0]), (table, column)
print(len(tables), "tables read")
