"""A firmware file and its manifest, as one form that is read while it comes. Decided here: which fields there are and how large a
manifest may be; the file goes piece by piece to whoever writes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from chargewatch.api.problems import ApiError
from chargewatch.api.uploads import chunks

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_MANIFEST = 256 << 10
FIELDS = ("manifest", "file")


class FirmwareForm:
    """`pieces()` are the file's bytes; afterwards `manifest`, its name and the file's name are known."""

    def __init__(self, request: Request) -> None:
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise ApiError(415, "send a form (multipart/form-data) with the fields manifest and file")
        self._request, self._boundary = request, options[b"boundary"]
        self.names: dict[str, str] = {}
        """Field → file name, for fields that were there."""
        self._field: str | None = None
        self._header, self._value = bytearray(), bytearray()
        self._manifest = bytearray()
        self._ready: list[bytes] = []

    @property
    def manifest(self) -> str:
        """Its text. Raises ApiError."""
        try:
            return self._manifest.decode()
        except UnicodeDecodeError as error:
            raise ApiError(422, "the manifest is not UTF-8 text") from error

    async def pieces(self) -> AsyncIterator[bytes]:
        """Raises ApiError for a form that cannot be read, or that lacks a field."""
        parser = MultipartParser(self._boundary, self._callbacks())
        try:
            async for chunk in chunks(self._request):
                parser.write(chunk)
                ready, self._ready = self._ready, []
                for piece in ready:
                    yield piece
            parser.finalize()
        except FormParserError as error:
            raise ApiError(400, f"the form cannot be read: {error}") from error
        for name in FIELDS:
            if name not in self.names:
                raise ApiError(422, f"the form has no field {name}")

    def _callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        self._field = None
        self._header.clear()
        self._value.clear()

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            name = options.get(b"name", b"").decode("utf-8", "replace")
            if name not in FIELDS:
                raise ApiError(422, f"the form has a field {name!r}; they are {' and '.join(FIELDS)}")
            if name in self.names:
                raise ApiError(422, f"the form has the field {name} twice")
            self._field = name
            self.names[name] = options.get(b"filename", b"").decode("utf-8", "replace")
        self._header.clear()
        self._value.clear()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field == "file":
            self._ready.append(data[start:end])
        elif self._field == "manifest":
            self._manifest += data[start:end]
            if len(self._manifest) > MAX_MANIFEST:
                raise ApiError(413, f"a manifest may have {MAX_MANIFEST >> 10} KiB")

    def _end(self) -> None:
        self._field = None
