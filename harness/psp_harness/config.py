"""`psp-harness.toml`, or `[tool.psp-harness]` in pyproject.toml: what to judge when the command line names no subject.

cases = ["payments/cases"]            # beside those that the package brings; optional
quarantine = "QUARANTINE.md"          # optional
history = ".psp-harness/history.db"   # what gates that keep history record; optional
money-risk = ["tests.test_refunds*"]  # tests whose failure is a double charge, a double refund or lost money; optional

[budget.release]                      # of a gate; optional
rows = 5                              # at most so many rows do something there
days = 30                             # and none is older

[[run]]
role = "client"
subject = "exec:node adapter.js"
profile = "stripe"
without = ["refunds"]                 # and claims, effects, clock, orders, webhook, credentials, allow-hosts, ca: as on
                                      # the command line
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from psp_harness import private, profile, quarantine, rules
from psp_harness.contracts import CASES
from psp_harness.errors import DataError, UsageError
from psp_harness.expected import line_of, misfit, read_toml
from psp_harness.model import Role
from psp_harness.quarantine import GATES, Budget, Limits, Row, name_of, names_test, spellings
from psp_harness.registry import suggest
from psp_harness.run import Job
from psp_harness.subjects.options import WEBHOOK_PATH

FILE = "psp-harness.toml"


class Run(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """One subject to judge."""

    role: Role
    subject: str
    profile: str
    effects: str | None = None
    clock: str | None = None
    orders: str | None = None
    webhook: str = WEBHOOK_PATH
    credentials: Mapping[str, str] = {}
    without: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    ca: str | None = None


class Config(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """What a project has written down."""

    run: tuple[Run, ...] = ()
    cases: tuple[str, ...] = ()
    quarantine: str = "QUARANTINE.md"
    history: str = str(private.HISTORY)
    money_risk: tuple[str, ...] = ()
    budget: Mapping[str, Budget] = {}

    @property
    def limits(self) -> Limits:
        """What rows must keep to: the budgets, and a shorter leash for what loses money."""
        risky = {rule.id for rule in rules.load().values() if rule.money_risk}

        def is_risky_test(test: str) -> bool:
            return any(names_test(glob, test) for glob in self.money_risk)

        def is_money_risk(row: Row) -> bool:
            return row.rule in risky or any(is_risky_test(what) for what in spellings(name_of(row.what)))

        return Limits(self.budget, is_money_risk, is_risky_test)


OURS = (
    Run(Role.CLIENT, "reference:client", "hyperswitch-docs"),
    Run(Role.PROVIDER, "reference:provider", "generic"),
)
"""What is judged where nothing is named: the reference client, and the reference provider."""


def load(folder: Path) -> Config:
    """The configuration of a project; empty where it has none. Raises `DataError` with the key that is wrong."""
    own, shared = folder / FILE, folder / "pyproject.toml"
    if own.is_file():
        text, raw = read_toml(own)
        return _convert(raw, own, text)
    if shared.is_file():
        text, raw = read_toml(shared)
        tool = raw.get("tool", {})
        return _convert(tool.get("psp-harness", {}) if isinstance(tool, Mapping) else {}, shared, text)
    return Config()


def nothing_named() -> UsageError:
    """What is wrong where a folder names no subject. The file of a folder above is not read, but pointed to."""
    here = Path.cwd()
    if (here / FILE).is_file():
        return UsageError(f"{FILE} names no subject", do="add a [[run]], or name one: --subject ADDRESS")
    above = next((folder for folder in here.parents if (folder / FILE).is_file()), None)
    do = (
        f"run it in {above}, where there is one" if above else "write one with a [[run]], or name it: --subject ADDRESS"
    )
    return UsageError(f"no {FILE} here", do=do)


def job_of(chosen: Run, settings: Config) -> Job:
    """What a subject of the configuration is judged by. Raises `UsageError` and `DataError` for what it names."""
    return Job(
        role=chosen.role,
        address=chosen.subject,
        profile=profile.load(chosen.profile),
        without=chosen.without,
        claimed=chosen.claims,
        effects_path=chosen.effects,
        clock_path=chosen.clock,
        orders_path=chosen.orders,
        webhook_path=chosen.webhook,
        credentials=chosen.credentials,
        allowed_hosts=frozenset(chosen.allow_hosts),
        ca_file=chosen.ca,
        cases=(CASES, *(Path(path) for path in settings.cases)),
        rows=quarantine.read(Path(settings.quarantine)),
        limits=settings.limits,
    )


def _convert(raw: object, path: Path, text: str) -> Config:
    prefix = "tool.psp-harness." if path.name == "pyproject.toml" else ""

    def wrong(problem: str, where: str, do: str) -> DataError:
        return DataError(problem, file=str(path), where=f"{line_of(text, where)}{prefix}{where}", do=do)

    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        found = misfit(error, Config)
        raise wrong(found.problem, found.where, found.do or "docs/configuration.md says what there is") from None
    for gate in config.budget.keys() - GATES.keys():
        raise wrong(f"unknown gate {gate!r}", "budget", suggest(gate, GATES))
    for number, run in enumerate(config.run):
        try:
            profile.known(run.profile)
        except UsageError as error:
            raise wrong(error.problem, f"run[{number}].profile", error.do) from None
    return config
