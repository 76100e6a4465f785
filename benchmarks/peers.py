"""What other tools report of twenty telling miniatures: one half of docs/kill-matrix.md, below the line that begins it.

    python benchmarks/peers.py [--schemathesis .peers/bin/st] [--seconds 20] [--page docs/kill-matrix.md]

Each tool meets each miniature fresh and on a port of its own, with the best description of the generic profile that the
tool can read: Schemathesis with contracts/openapi/generic.json, all checks, links from payments to reads and refunds, a
credential and a fixed seed; the Pact verifier with the committed contract of any client. Whatever a tool says of the
correct gateway too is no finding about a fault, and is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from psp_harness.matrix import KEPT
from psp_harness.subjects.addresses import MINIATURES
from psp_harness.subjects.hosting import in_thread

ROOT = Path(__file__).parents[1]
OPENAPI = ROOT / "contracts" / "openapi" / "generic.json"
PACT = ROOT / "contracts" / "pacts" / "any-client-generic.json"

CORRECT = "careful-gateway"
TELLING = (
    "no-dedupe", "check-then-set", "lease-shorter-than-the-work", "no-fingerprint", "body-is-part-of-the-key",
    "refund-gets-the-payment", "keys-without-tenant", "replays-as-conflict", "replays-wrapped", "replays-with-a-new-id",
    "keeps-only-200", "keeps-refusals", "missing-key-accepted", "empty-key-accepted",
    "any-key-accepted", "long-key-is-500", "dedupes-by-content", "keys-live-five-minutes", "keys-in-lower-case",
    "over-refund", "refunds-race", "negative-amounts-accepted", "amounts-as-text",
)  # fmt: skip
"""Of each area the plainest, also those that one look at one request finds; none that our cases alone set off."""

Findings = frozenset[str]
"""What a tool reports, one short line each."""

Judge = Callable[[str, int], Awaitable[Findings]]
"""Runs a tool on the provider at a URL, with a seed."""

SEEDS_OF_CORRECT = (1, 2, 3)
"""What a tool says of the correct gateway with any of these is not counted."""

GRACE = 10.0
"""Seconds beyond its cap after which a tool is ended."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another tool."""

    name: str
    version: str
    judge: Judge


async def schemathesis(st: str, seconds: int, url: str, seed: int) -> Findings:
    """The checks that fail, each once: on which operation first is a matter of chance."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        process = await asyncio.create_subprocess_exec(
            st, "run", str(OPENAPI), "--url", url, "-H", "Authorization: Bearer tenant-a", "--checks", "all",
            "--max-time", str(seconds), "--seed", str(seed), "--continue-on-failure", "--no-shrink", "--report", "json",
            "--report-json-path", str(report),
            cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await asyncio.wait_for(process.wait(), seconds + GRACE)
        except TimeoutError:
            process.kill()
            await process.wait()
            return frozenset({"did not end"})
        failures = json.loads(report.read_text(encoding="utf-8"))["failures"]
    return frozenset(each["title"] for each in failures)


async def pact(url: str, seed: int) -> Findings:  # noqa: ARG001 - it has no chance in it
    """Interactions of the contract that are not kept."""
    return await asyncio.to_thread(_verify, url)


def _verify(url: str) -> Findings:
    from pact import Verifier

    verifier = Verifier("generic", host="127.0.0.1").add_transport(url=url).add_source(PACT)
    with suppress(RuntimeError):  # it says no more than that something failed
        verifier.verify()
    failed = (each for each in verifier.results["interactionResults"] if each["result"] != "OK")
    return frozenset(each["description"] for each in failed)


async def version_of(st: str) -> str:
    """As the tool says it."""
    process = await asyncio.create_subprocess_exec(st, "--version", stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return said.decode().split()[-1]


async def found(name: str, judge: Judge) -> Findings:
    """What one tool says of one miniature, which is made for each run alone."""
    said: Findings = frozenset()
    for seed in SEEDS_OF_CORRECT if name == CORRECT else (1,):
        async with in_thread(MINIATURES[name].make()) as url:
            said |= await judge(url, seed)
    return said


# --- as a page ------------------------------------------------------------------------------------------------------


def section(peers: Sequence[Peer], results: dict[tuple[str, str], Findings], seconds: int) -> str:
    """What stands below the line."""
    lines = [
        "## What peers report",
        "",
        f"Made by `make peers`, which gives each tool at most {seconds} s on each miniature. Both are good at what",
        "they are for: Schemathesis holds answers against an OpenAPI description, the Pact verifier holds them against",
        "recorded ones. Whether two answers belong together, whether money moved once, and what happens in flight",
        "cannot be said in the words of either.",
        "",
        "- Schemathesis reads `contracts/openapi/generic.json`, with all checks, a credential, links and a fixed seed.",
        "  How far it gets in its time depends on the machine.",
        "- The Pact verifier replays `contracts/pacts/any-client-generic.json`: a payment with a key, one without, one",
        "  with an empty key. A contract with more interactions and provider states would report more of what one",
        "  answer shows.",
        "- A check that fails on the correct gateway too, in one of three runs with three seeds, is not counted.",
        f"  {_of_correct(peers, results)}.",
        "",
        f"| mode | miniature | psp-harness | {' | '.join(f'{peer.name} {peer.version}' for peer in peers)} |",
        f"|---|---|---|{'---|' * len(peers)}",
    ]
    for name in TELLING:
        cells = (_cell(results[peer.name, name] - results[peer.name, CORRECT]) for peer in peers)
        lines.append(f"| {MINIATURES[name].mode} | `{name}` | reported | {' | '.join(cells)} |")
    lines += ["", *(_passed(peer, results) for peer in peers)]
    return "\n".join(lines) + "\n"


def _of_correct(peers: Sequence[Peer], results: dict[tuple[str, str], Findings]) -> str:
    return "; ".join(f"{peer.name}: {', '.join(sorted(results[peer.name, CORRECT])) or 'nothing'}" for peer in peers)


def _cell(findings: Findings) -> str:
    return "<br>".join(sorted(findings)) or "passes"


def _passed(peer: Peer, results: dict[tuple[str, str], Findings]) -> str:
    passed = [name for name in TELLING if not results[peer.name, name] - results[peer.name, CORRECT]]
    return f"{peer.name} lets {len(passed)} of {len(TELLING)} pass.\n"


def write(page: Path, text: str) -> None:
    """In place of what stood below the line before."""
    above = page.read_text(encoding="utf-8").partition(KEPT)[0].rstrip("\n")
    page.write_text(f"{above}\n\n{KEPT}\n\n{text.rstrip()}\n", encoding="utf-8")


async def main() -> None:
    """Run each tool on each miniature, one after the other: they share a machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schemathesis", default=".peers/bin/st", help="its command")
    parser.add_argument("--seconds", type=int, default=20, help="cap on each run")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "kill-matrix.md")
    given = parser.parse_args()
    os.environ["PACT_DO_NOT_TRACK"] = "true"
    st = os.path.abspath(given.schemathesis)  # noqa: PTH100, ASYNC240 - it runs in another folder; nothing is read
    peers = (
        Peer("Schemathesis", await version_of(st), lambda url, seed: schemathesis(st, given.seconds, url, seed)),
        Peer("Pact verifier", f"(pact-python {importlib.metadata.version('pact-python')})", pact),
    )
    results: dict[tuple[str, str], Findings] = {}
    for name in (CORRECT, *TELLING):
        for peer in peers:
            results[peer.name, name] = await found(name, peer.judge)
            print(f"{name}: {peer.name}: {', '.join(sorted(results[peer.name, name])) or 'nothing'}", file=sys.stderr)
    write(given.page, section(peers, results, given.seconds))


if __name__ == "__main__":
    asyncio.run(main())
