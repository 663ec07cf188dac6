"""Runs a notebook whose path is given, and prints as JSON what each of its cells of code shows as text.

The sources stay as they are; only the name of the kernel is ours. The notebook runs in the current directory.
"""

from __future__ import annotations

import json
import sys

import nbclient
import nbformat


def main(path: str) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
    print(json.dumps([shown(cell) for cell in notebook.cells if cell.cell_type == "code"]))


def shown(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)


if __name__ == "__main__":
    main(sys.argv[1])
