"""What is kept about a bucket itself: small texts by name, such as its tags."""

from __future__ import annotations

from pathlib import Path

from restframe.storage.files import remove_durably, write_durably


class Notes:
    """<directory>/<bucket>/<name>; bucket and name are already checked. Usable from any thread."""

    def __init__(self, directory: Path, temporary: Path) -> None:
        self._directory = directory
        self._temporary = temporary

    def get(self, bucket: str, name: str) -> str | None:
        try:
            return (self._directory / bucket / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def put(self, bucket: str, name: str, text: str) -> None:
        """On the disk on return."""
        write_durably(self._directory / bucket / name, text, self._temporary)

    def delete(self, bucket: str, name: str) -> None:
        remove_durably(self._directory / bucket / name, self._directory)
