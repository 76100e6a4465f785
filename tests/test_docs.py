"""The documentation is true: its examples run, its tables are those of the code, and its links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from pages import blocks, table
from psp_harness import profile, rules
from psp_harness.contracts import SCHEMAS
from psp_harness.model import WORD, Result, Role
from psp_harness.profile import told_by
from psp_harness.pytest_plugin.psp import Psp
from psp_harness.signing import Genuine, Webhook, verify
from psp_harness.subjects import protocol
from psp_harness.vocabulary import FEATURES
from test_layers import PACKAGE, ROWS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "contracts/cases/README.md"])
GENERIC = DOCS / "generic-profile.md"
PROTOCOL = DOCS / "subject-protocol.md"
RECEIVERS = DOCS / "receivers.md"
SHOPS = DOCS / "shops.md"
VERDICT = DOCS / "how-a-verdict-comes-about.md"
WATCH = DOCS / "watch.md"
PYTEST = DOCS / "pytest.md"


def judge(subject: str, folder: Path, *more: str, role: str = "client") -> subprocess.CompletedProcess[str]:
    """`psp-harness run` under the generic profile, as the page says it, in that folder."""
    command = [sys.executable, "-c", "from psp_harness.cli import main; main()", "run", "--role", role]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    asked = [*command, "--subject", subject, "--profile", "generic", *more]
    return subprocess.run(asked, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


# --- subject-protocol.md --------------------------------------------------------------------------------------------


def test_the_example_adapter_passes_through_exec(tmp_path: Path) -> None:
    """The adapter that the page shows is judged, and no MUST is violated."""
    judged = judge(f"exec:{sys.executable} {EXAMPLES / 'adapter.py'}", tmp_path)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "violated" not in judged.stdout.partition("verdicts:")[2].splitlines()[0]


def test_the_example_adapter_passes_through_python(tmp_path: Path) -> None:
    """The same class, its verbs called as methods with keyword arguments."""
    (tmp_path / "adapter.py").write_text((EXAMPLES / "adapter.py").read_text(encoding="utf-8"), encoding="utf-8")
    judged = judge("python:adapter:Adapter", tmp_path)
    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.parametrize(
    ("was", "becomes", "verdict"),
    [
        ('"Idempotency-Key": key', '"X-Key": key', "two-payments/every-post-carries-a-key"),
        ('"kind": "unknown"', '"kind": "rejected"', "payment-answer-lost/an-uncertain-outcome-is-reported-as-unknown"),
    ],
)
def test_a_broken_example_adapter_is_reported(was: str, becomes: str, verdict: str, tmp_path: Path) -> None:
    """What the page calls judged is: an adapter without the key, or sure of what it cannot know, is violated."""
    text = (EXAMPLES / "adapter.py").read_text(encoding="utf-8")
    assert was in text
    (tmp_path / "adapter.py").write_text(text.replace(was, becomes), encoding="utf-8")
    judged = judge(f"exec:{sys.executable} adapter.py", tmp_path, "--only", f"client/generic/{verdict}")
    assert judged.returncode == 1, judged.stdout + judged.stderr
    assert verdict.partition("/")[2] in judged.stdout


def test_the_session_on_the_page_keeps_the_protocol() -> None:
    """Each line fits the schema, commands and answers alternate, and each answer repeats the id of its command."""
    (session,) = blocks(PROTOCOL, "jsonl")
    messages = [json.loads(line) for line in session.splitlines()]
    commands, answers = messages[::2], messages[1::2]
    assert [protocol.check("command", command, "page") for command in commands] == commands
    assert [protocol.check("answer", answer, "page") for answer in answers] == answers
    assert [answer["id"] for answer in answers] == [command["id"] for command in commands]
    assert protocol.claims(answers[0]).features == {"caller-keys", "refunds"}


def test_the_features_on_the_page_are_those_of_the_schema() -> None:
    """A word that a subject may claim is explained, and no other."""
    schema = json.loads((SCHEMAS / "subject-protocol.schema.json").read_text(encoding="utf-8"))
    known = schema["$defs"]["started"]["properties"]["features"]["items"]["enum"]
    told = [row["feature"].strip("`") for row in table(PROTOCOL, "feature")]
    assert told == known
    assert set(told) <= set(FEATURES)


# --- generic-profile.md ---------------------------------------------------------------------------------------------


def test_the_routes_on_the_page_are_those_of_the_profile() -> None:
    """Method, path, status and the members of request and answer."""
    by_route = {operation.route: operation for operation in profile.load("generic").operations.values()}
    rows = table(GENERIC, "request")
    assert {re.search(r"`(.*?)`", row["request"])[1] for row in rows} == set(by_route)  # type: ignore[index]
    for row in rows[:2]:
        operation = by_route[row["request"].strip("`")]
        assert f"**{operation.status}**" in row["answer"]
        assert isinstance(operation.request, dict)
        assert isinstance(operation.answer, dict)
        assert re.findall(r"`(\w+)`", row["body"]) == list(operation.request)
        assert set(re.findall(r"`(\w+)`", row["answer"])) <= set(operation.answer)


def test_the_refusals_on_the_page_are_those_of_the_profile() -> None:
    """Every status of a refusal, and the code that tells two of them apart."""
    refusals = profile.load("generic").refusals.values()
    rows = table(GENERIC, "status")
    assert {int(row["status"]) for row in rows} == {status for refusal in refusals for status in refusal.status}
    codes = {refusal.body["code"] for refusal in refusals if isinstance(refusal.body, dict) and "code" in refusal.body}
    assert {code for row in rows for code in re.findall(r"`code`: `(\w+)`", row["body"])} == codes


def test_the_effects_on_the_page_are_read() -> None:
    """The example of an effects route is one that the harness takes."""
    (example,) = blocks(GENERIC, "json")
    effects = protocol.read_effects(protocol.check("effects", json.loads(example), "page")["effects"])
    assert [(each.kind, each.amount, each.payment_id) for each in effects] == [
        ("payment", 6540, ""), ("refund", 1200, "pay_1"),
    ]  # fmt: skip


# --- how-a-verdict-comes-about.md -----------------------------------------------------------------------------------


def test_the_layers_on_the_page_are_those_that_are_held() -> None:
    """Row by row, as tests/test_layers.py has them, less what does not exist yet."""
    there = {path.stem for path in PACKAGE.iterdir()}
    held = [[name for name in row if name in there] for row in ROWS]
    told = [re.findall(r"`(\w+)`", row["modules"]) for row in table(VERDICT, "row")]
    assert told == [row for row in held if row]


def test_the_outcomes_on_the_page_are_the_six() -> None:
    """In the words of the verdicts."""
    assert [row["outcome"] for row in table(VERDICT, "outcome")] == [WORD[each] for each in get_args(Result)]


# --- watch.md -------------------------------------------------------------------------------------------------------


def told(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command of the page, in that folder."""
    program = [sys.executable, "-c", "from psp_harness.cli import main; main()"]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    asked = [*program, *shlex.split(command)[2:]]
    return subprocess.run(asked, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl: apt-get install curl")
def test_the_script_on_the_page_passes_and_with_a_fresh_key_pays_twice(tmp_path: Path) -> None:
    """As the page says it, with and without a fault."""
    (script,) = blocks(WATCH, "sh")
    plain, faulty = [
        each for each in blocks(WATCH, "console") if each.startswith("$ psp-harness watch") and "pay.sh" in each
    ]
    (tmp_path / "pay.sh").write_text(script, encoding="utf-8")
    assert [told(each, tmp_path).returncode for each in (plain, faulty)] == [0, 0]
    (tmp_path / "pay.sh").write_text(script.replace("|| pay order-7", "|| pay order-7-again"), encoding="utf-8")
    assert [told(each, tmp_path).returncode for each in (plain, faulty)] == [0, 1]


def test_the_rules_on_the_page_are_those_that_bind_without_intent() -> None:
    """Each of them, and no other."""
    binding = [rule.id for rule in rules.load().values() if rule.role is Role.CLIENT and not rule.needs_intent]
    assert sorted(row["rule"].strip("`") for row in table(WATCH, "rule")) == sorted(binding)


# --- pytest.md ------------------------------------------------------------------------------------------------------


def test_the_file_on_the_page_loses_an_answer_and_asserts_the_key(pytester: pytest.Pytester) -> None:
    """Ten lines, as they stand there; with another key at the second attempt they fail."""
    _, whole = blocks(PYTEST, "python")
    assert len([line for line in whole.splitlines() if line]) == 10
    pytester.makepyfile(
        test_right=whole,
        test_wrong=whole.replace(
            "headers=headers, json=payment)\n    psp.",
            ("headers={**headers, 'Idempotency-Key': 'x'}, json=payment)\n    psp."),
        ),
    )
    result = pytester.runpytest_subprocess("-q", "-p", "no:asyncio")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*2 requests of create-payment carried 2 keys: 'order-7' and 'x'*"])


def test_every_call_on_the_page_is_one_of_the_fixture() -> None:
    """And every public one of the fixture stands on the page."""
    named = set(re.findall(r"psp\.(\w+)", PYTEST.read_text(encoding="utf-8")))
    assert named == {name for name in vars(Psp) if not name.startswith("_")} - {"unmet"}


# --- all pages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    """Every file that a page points to exists."""
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


# --- receivers.md, and what other pages say of webhooks -------------------------------------------------------------


def test_the_webhook_on_the_generic_page_is_genuine() -> None:
    """Its signature is that of its body, id and time, by the secret of the profile; and it is a payment."""
    generic = profile.load("generic")
    (example,) = [block for block in blocks(GENERIC, "http") if block.startswith("POST /webhooks")]
    head, _, body = example.strip().partition("\n\n")
    lines = [line.partition(": ") for line in head.splitlines()[1:]]
    webhook = Webhook(tuple((name.encode(), value.encode()) for name, _, value in lines), body.encode())
    assert generic.webhooks is not None
    found = verify(generic.webhooks.signature, webhook, [generic.secrets["tenant-a"]], now=1_795_000_000, tolerance=0)
    assert found == Genuine("evt_1", 1_795_000_000)
    (told,) = told_by(generic.webhooks, body.encode())
    assert (told.means, told.values["reference"], told.values["amount"]) == ("payment-succeeded", "order-7", 6540)


def test_the_types_on_the_generic_page_are_those_of_the_profile() -> None:
    """Every event of the profile, by its type."""
    webhooks = profile.load("generic").webhooks
    assert webhooks is not None
    types = [body["type"] for event in webhooks.events.values() if isinstance(body := event.body, dict)]
    assert [row["type"].strip("`") for row in table(GENERIC, "type")] == types


def test_the_messages_on_the_page_on_receivers_fit_the_protocol() -> None:
    """Orders as they are told, effects as they are said."""
    orders, effects = (json.loads(block) for block in blocks(RECEIVERS, "json"))
    start = {"protocol": 1, "role": "receiver", "profile": "stripe", "secrets": ["x"], "now": 1.5, **orders}
    assert protocol.check("start", start, "page") == start
    (effect,) = protocol.read_effects(protocol.check("effects", effects, "page")["effects"])
    assert (effect.kind, effect.id) == ("order-paid", orders["orders"][0]["id"])
    assert protocol.read_states(effects) == {effect.id: "paid"}


def test_the_session_of_a_receiver_fits_the_protocol() -> None:
    """Command and answer, in turn."""
    (session,) = [block for block in blocks(PROTOCOL, "text") if "webhook_url" in block]
    start, started, effects, said = (json.loads(line) for line in session.splitlines())
    assert [protocol.check("command", each, "page") for each in (start, effects)] == [start, effects]
    assert protocol.claims({"ok": started["ok"]}).features == {"durable"}
    assert protocol.states({"ok": said["ok"]}) == {"5f1c-order-a": "paid"}


def test_the_code_on_the_page_on_receivers_runs() -> None:
    """It signs, and finds genuine what it signed."""
    (example,) = blocks(RECEIVERS, "python")
    *lines, last = example.strip().splitlines()
    names: dict[str, object] = {}
    exec("\n".join(lines), names)  # noqa: S102 - the page's own example
    assert isinstance(eval(last, names), Genuine)  # noqa: S307


def test_the_example_of_a_receiver_is_told_what_the_page_says(tmp_path: Path) -> None:
    """No MUST, and one SHOULD, which is its library's."""
    pytest.importorskip("flask", reason="pip install 'psp-harness[receivers]'")
    pytest.importorskip("stripe", reason="pip install 'psp-harness[sdks]'")
    (tmp_path / "receiver.py").write_text((EXAMPLES / "receiver.py").read_text(encoding="utf-8"), encoding="utf-8")
    (command,) = re.findall(r"psp-harness (run .*)", RECEIVERS.read_text(encoding="utf-8"))
    harness = [sys.executable, "-c", "from psp_harness.cli import main; main()", *shlex.split(command)]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    judged = subprocess.run(
        harness, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert re.findall("VIOLATED  (.*)", judged.stdout) == ["SHOULD a-webhook-of-the-future-moves-nothing"]


# --- shops.md -------------------------------------------------------------------------------------------------------


def test_the_example_shop_passes_and_is_ended_at_every_request(tmp_path: Path) -> None:
    """As the page says it."""
    judged = judge(f"exec:{sys.executable} {EXAMPLES / 'shop.py'}", tmp_path, role="shop")
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert re.search(r"^\d\d crash points: \d\d around requests, 0 around commits", judged.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("was", "becomes", "verdict"),
    [
        ('key=row["id"]', "key=str(uuid.uuid4())", "order-and-refunds-exchange-1-acted/an-order-is-charged-once"),
        ('return "in-doubt"  # and', 'return "failed"  # and', "order-answer-lost/a-lost-answer-is-in-doubt"),
        (" AND status != 'done'\"", '"', "event-told-twice/an-order-is-shipped-once"),
    ],
)
def test_a_broken_example_shop_is_reported(was: str, becomes: str, verdict: str, tmp_path: Path) -> None:
    """What protects it there does: without it the shop is violated."""
    text = (EXAMPLES / "shop.py").read_text(encoding="utf-8")
    assert was in text
    (tmp_path / "shop.py").write_text(text.replace(was, becomes), encoding="utf-8")
    judged = judge(f"exec:{sys.executable} shop.py", tmp_path, "--only", f"shop/generic/{verdict}", role="shop")
    assert judged.returncode == 1, judged.stdout + judged.stderr
    assert f"VIOLATED  MUST {verdict.partition('/')[2]}" in judged.stdout


def test_the_books_on_the_page_on_shops_fit_the_protocol() -> None:
    """And every status that they may have is on the page."""
    (example,) = blocks(SHOPS, "json")
    rows, commits = protocol.rows(json.loads(example))
    assert [(row.kind, row.id, row.status) for row in rows] == [("order", "o-1", "done"), ("refund", "r-7", "in-doubt")]
    assert commits == 4
    schema = json.loads((SCHEMAS / "subject-protocol.schema.json").read_text(encoding="utf-8"))
    known = schema["$defs"]["row"]["properties"]["status"]["enum"]
    assert [row["status"].strip("`") for row in table(SHOPS, "status")] == known


def test_the_steps_on_the_page_on_shops_are_those_of_the_protocol() -> None:
    """Each of them, with the params that it is given."""
    schema = json.loads((SCHEMAS / "subject-protocol.schema.json").read_text(encoding="utf-8"))
    do = schema["$defs"]["do"]["properties"]
    rows = table(SHOPS, "step")
    assert [row["step"].strip("`") for row in rows] == [s for s in do["step"]["enum"] if not s.startswith("create-")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row["params"])} <= set(do["params"]["properties"])
