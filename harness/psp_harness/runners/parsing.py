"""XML of any size, parsed piece by piece, from a file that nobody vouches for.

defusedxml does the refusing: it is what Python's own documentation recommends for files from elsewhere, wraps the
expat parser of the standard library (so it streams), and needs no compiler on any machine. lxml builds trees unless
it is held back, and junitparser builds one always: a file of 200 MB would take ten times that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml import DefusedXmlException
from defusedxml.expatreader import create_parser

from psp_harness.errors import DataError

_PIECE = 1 << 16
_LONGEST_TAG = 1 << 24
"""Bytes without an event: nobody's test has a name of 16 MiB."""
_DEEPEST = 64


class Handler(ContentHandler):
    """Counts what it is told, so that a document which says nothing for too long is noticed."""

    def __init__(self) -> None:
        super().__init__()
        self.events = 0
        self.depth = 0
        self.deepest = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: ARG002, N802 - the parser's name
        self.events += 1
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)

    def characters(self, content: str) -> None:  # noqa: ARG002
        self.events += 1

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802
        self.events += 1
        self.depth -= 1


def local(name: str) -> str:
    """The name of an element without the prefix of a namespace."""
    return name.rpartition(":")[2]


def parse(path: Path, handler: Handler) -> Iterator[None]:
    """Tell `handler` of the document, and come back after each piece of it. Raises `DataError`."""
    parser = create_parser(forbid_dtd=True)
    parser.setContentHandler(handler)
    silent, events, read = 0, 0, 0
    if path.exists() and not path.is_file() and not path.is_dir():
        do = "write the results into a file, and settle that"
        raise DataError("a pipe can be read once, and results are read again", file=str(path), do=do)
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                read += len(piece)
                parser.feed(piece)
                silent, events = (silent + len(piece) if events == handler.events else 0), handler.events
                if silent > _LONGEST_TAG or handler.deepest > _DEEPEST:
                    what = "a tag of more than 16 MiB" if silent > _LONGEST_TAG else f"elements {_DEEPEST} deep"
                    raise DataError(f"got {what}", file=str(path), do="no test runner writes that: look at what did")
                yield
        if not read:
            do = "let the runner come to its end, and settle what it wrote"
            raise DataError("it is empty", file=str(path), do=do)
        parser.close()
    except OSError as error:
        raise DataError(error.strerror or "cannot be read", file=str(path), do="name a file with results") from None
    except DefusedXmlException:
        problem = "it has a document type, which may declare entities, and JUnit XML has none"
        raise DataError(
            problem, file=str(path), do="take the <!DOCTYPE …> out, and find out who put it there"
        ) from None
    except (LookupError, UnicodeError, ValueError) as error:  # of the encoding that the document says it has
        do = "let the runner write UTF-8"
        raise DataError(f"its encoding cannot be read: {error}", file=str(path), do=do) from None
    except SAXParseException as error:
        raise _broken(error, path) from None
    yield


def _broken(error: SAXParseException, path: Path) -> DataError:
    where, said = f"line {error.getLineNumber()}", str(error.getMessage())
    if said in {"no element found", "unclosed token", "unclosed CDATA section", "partial character"}:
        do = "let the runner come to its end: what is missing may be what failed"
        return DataError("it is cut off: the document does not end", file=str(path), where=where, do=do)
    return DataError(f"not XML: {said}", file=str(path), where=where, do="settle the JUnit XML that the runner wrote")
