"""The data sets of a country, one `Source` each, declared in TOML: `read(directory)` reads a folder of them."""

from restframe_epidemic.sources.declaration import read, read_file
from restframe_epidemic.sources.source import Column, Source, Wide

__all__ = ["Column", "Source", "Wide", "read", "read_file"]
