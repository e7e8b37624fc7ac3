"""Runs the notebooks of sample-data on a lake and holds what their cells say to what they must say."""

import pathlib
import sys

import nbformat
from nbclient import NotebookClient

folder = pathlib.Path(sys.argv[1])
# What each notebook answers, as the text of one of its outputs.
ANSWERS = {
    "polling_duckdb": ["{'192.168.50.20'}", "write_single_register"],
    "setpoint_polars": ["([1500.0], [2900.0])", "list[u16]"],
    "load_datafusion": ["{'modbus': ", "'ts': 'timestamp[ns, tz=UTC]'", "'orig_bytes': 'uint64'", "'ttls': 'list<item: uint32>'"],
}
found = sorted(path.stem for path in folder.glob("*.ipynb"))
assert found == sorted(ANSWERS), found
for name, answers in ANSWERS.items():
    path = folder / f"{name}.ipynb"
    assert path.stat().st_size < 100_000, f"{name} is large"
    notebook = nbformat.read(path, as_version=4)
    written = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    text = "\n".join(output["data"].get("text/plain", "") for output in outputs)
    for answer in answers:
        assert answer in text, (name, answer, text)
    assert any("image/png" in output["data"] for output in outputs), f"{name} draws nothing"
    shown = "\n".join(output["data"].get("text/plain", "") for output in written if "data" in output)
    assert all(answer in shown for answer in answers), f"{name} was stored without its outputs"
    print(name, "ok")
