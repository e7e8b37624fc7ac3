"""Reads every table of a lake with DuckDB, Polars and pyarrow, one glob each, and holds their row counts together."""

import glob
import pathlib
import sys

import duckdb
import polars
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
print(len(tables), "tables read")
