"""JSONPaths files: which part of each object or array goes into which column.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html#copy-json-jsonpaths
"""

from __future__ import annotations

import json
import re

from restframe import errors

Path = tuple[str | int, ...]

_STEP = re.compile(r"\.([^.*\[\]']+)|\['((?:[^'\\]|\\.)*)'\]|\[([0-9]{1,9})\]")


def read_paths(data: bytes, name: str) -> list[Path] | None:
    """The paths in a JSONPaths file, None when its object is called anything but "jsonpaths", which means 'auto'.

    InvalidParameterValue with the file's name when it is not as the manual describes.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise errors.InvalidParameterValue(f'jsonpaths file "{name}" is not valid JSON') from error
    if not isinstance(found, dict) or len(found) != 1:
        raise errors.InvalidParameterValue(f'jsonpaths file "{name}" is not one JSON object with one name')
    ((key, paths),) = found.items()
    if key != "jsonpaths":
        return None
    if not isinstance(paths, list) or not all(isinstance(path, str) and path for path in paths):
        raise errors.InvalidParameterValue(f'"jsonpaths" in "{name}" is not an array of paths')
    return [parse_path(path) for path in paths]


def parse_path(text: str) -> Path:
    """The keys and indexes of `$.store.book[0]` or `$['store']['book'][0]`; the two notations do not mix."""
    steps: list[str | int] = []
    notations = set()
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            break
        if match[3] is not None:
            steps.append(int(match[3]))
        else:
            notations.add(text[at])
            steps.append(match[1] if match[1] is not None else re.sub(r"\\(.)", r"\1", match[2]))
        at = match.end()
    if not text.startswith("$") or at < len(text) or len(notations) > 1:
        raise errors.InvalidParameterValue(f'Invalid JSONPath format: "{text[:100]}"')
    return tuple(steps)
