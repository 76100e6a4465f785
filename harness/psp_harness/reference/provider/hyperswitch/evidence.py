"""Files: uploaded as a form, kept, attached to a dispute as evidence, and taken off it again.

Sources: crates/router/src/routes/disputes/utils.rs, routes/files, core/files/helpers.rs. The type of a file is told by
its first bytes, as there; only types that evidence can have are known here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

import msgspec

from psp_harness.model import Answer
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.hyperswitch import disputes
from psp_harness.reference.provider.hyperswitch.asked import Asked, Door, Route
from psp_harness.reference.provider.hyperswitch.bodies import answer, missing, read
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.multipart import Part, form_of
from psp_harness.reference.provider.stores import Effected
from psp_harness.template import Json

_TYPES: Final[Mapping[bytes, str]] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"%PDF": "application/pdf",
}
"""By the first bytes of a file."""

_NO_FILE: Final = Refusal("no-file", "File does not exist in our records")


class _Named(msgspec.Struct):
    """DeleteEvidenceRequest."""

    dispute_id: str
    evidence_type: str


async def attach(world: World, asked: Asked) -> Work | Refusal:
    """PUT /disputes/evidence: `dispute_id`, `evidence_type` and `file`."""
    form = form_of(asked.request)
    type_ = form["evidence_type"].text if "evidence_type" in form else ""
    if type_ not in disputes.FILES:
        return missing("evidence_type")
    if "file" not in form:
        return missing("file")
    file = _file(form["file"])
    if isinstance(file, Refusal):
        return file
    return await _upload(world, asked, form, file, type_)


async def upload(world: World, asked: Asked) -> Work | Refusal:
    """POST /files: `purpose` (`dispute_evidence` is the only one), `dispute_id` and `file`."""
    form = form_of(asked.request)
    if "purpose" not in form or form["purpose"].text != "dispute_evidence":
        return Refusal("missing-file-purpose", "File purpose not found in the request or is invalid")
    file = _file(form["file"]) if "file" in form else _EMPTY
    return file if isinstance(file, Refusal) else await _upload(world, asked, form, file, "")


_EMPTY: Final = Refusal("missing-file", "File not found / valid in the request")


def _file(part: Part) -> dict[str, object] | Refusal:
    """What is kept of it."""
    if not part.content:
        return _EMPTY
    type_ = next((name for first, name in _TYPES.items() if part.content.startswith(first)), None)
    if type_ is None:
        return Refusal("missing-file-type", "File content type not found / valid")
    content = base64.b64encode(part.content).decode()
    return {"name": part.filename, "type": type_, "size": len(part.content), "content": content}


async def _upload(
    world: World, asked: Asked, form: Mapping[str, Part], file: dict[str, object], type_: str
) -> Work | Refusal:
    """The file, kept; and with a type, attached in the same step: its entry is of the dispute's payment."""
    dispute_id = form["dispute_id"].text if "dispute_id" in form else ""
    if not dispute_id:
        return Refusal("missing-dispute-id", "Dispute id not found in the request")
    seen = await disputes.found(world, asked.tenant, dispute_id)
    if isinstance(seen, Refusal):
        return seen
    dispute, _ = seen
    place = Place(asked.tenant, "file", world.fresh_id("file_"), dispute.of)

    def on(ledger: Ledger) -> Effected | Refusal:
        if type_ and not disputes.is_open(dispute, ledger, world.now()):
            return disputes.NOT_NOW
        about = {**file, "dispute": dispute.id, "evidence_type": type_}
        entry = Entry(place.tenant, place.kind, place.id, place.of, created=world.now(), about=about)
        return Effected(entry, answer({"file_id": entry.id}))

    return Work(place, on)


async def detach(world: World, asked: Asked) -> Work | Refusal:
    """DELETE /disputes/evidence."""
    body = read(asked.body, _Named)
    if isinstance(body, Refusal):
        return body
    seen = await disputes.found(world, asked.tenant, body.dispute_id)
    if isinstance(seen, Refusal):
        return seen
    dispute, _ = seen
    place = Place(asked.tenant, "evidence-removed", world.fresh_id("evr_"), dispute.of)

    def on(ledger: Ledger) -> Effected | Refusal:
        if not disputes.is_open(dispute, ledger, world.now()):
            return disputes.NOT_NOW
        if body.evidence_type not in disputes.attached(dispute, ledger):
            return _NO_FILE
        about = {"dispute": dispute.id, "evidence_type": body.evidence_type}
        entry = Entry(place.tenant, place.kind, place.id, place.of, created=world.now(), about=about)
        return Effected(entry, Answer(200))

    return Work(place, on)


async def evidence(world: World, asked: Asked) -> Answer | Refusal:
    """GET /disputes/evidence/{dispute_id}: what is attached to it."""
    seen = await disputes.found(world, asked.tenant, asked.path["dispute_id"])
    if isinstance(seen, Refusal):
        return seen
    dispute, ledger = seen
    files = {entry.id: entry for entry in ledger.beside if entry.kind == "file"}
    told = disputes.attached(dispute, ledger)
    return answer(
        [{"evidence_type": type_, "file_metadata_response": _shown(files[id_])} for type_, id_ in told.items()]
    )


def _shown(file: Entry) -> dict[str, Json]:
    """FileMetadataResponse."""
    about = file.about
    return {
        "file_id": file.id,
        "file_name": about["name"],
        "file_size": about["size"],
        "file_type": about["type"],
        "available": True,
    }


async def download(world: World, asked: Asked) -> Answer | Refusal:
    """GET /files/{file_id}: its bytes."""
    seen = await world.store.ledger(Place(asked.tenant, "file", asked.path["file_id"]))
    if seen.existing is None:
        return _NO_FILE
    content = base64.b64decode(str(seen.existing.about["content"]))
    return Answer(200, ((b"content-type", str(seen.existing.about["type"]).encode()),), content)


ROUTES: Final = (
    Route("attach-evidence", "PUT", "/disputes/evidence", Door.SECRET, prepare=attach),
    Route("detach-evidence", "DELETE", "/disputes/evidence", Door.SECRET, prepare=detach),
    Route("get-evidence", "GET", "/disputes/evidence/{dispute_id}", Door.SECRET, show=evidence),
    Route("upload-file", "POST", "/files", Door.SECRET, prepare=upload),
    Route("get-file", "GET", "/files/{file_id}", Door.SECRET, show=download),
)
