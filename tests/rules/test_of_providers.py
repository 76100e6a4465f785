"""What there is to judge, drawn from histories made by hand."""

from __future__ import annotations

from dataclasses import replace

from by_hand import exchange, request
from psp_harness import profile
from psp_harness.judge import hold
from psp_harness.model import Answer, Claims, Effect, Exchange, History, Intent, Manner
from psp_harness.rules import load
from psp_harness.rules.of_clients import calls, posts
from psp_harness.rules.of_providers import concurrent_duplicates, duplicates, retries, reuses, under_several_keys

GENERIC = profile.load("generic")
PAYMENT = Intent(1, "payment", "create-payment", 1, amount=6540, key=b"k", reference="order-7")


def of(intent: Intent, number: int, began: float, ended: float, answer: Answer | None) -> Exchange:
    """The exchange of a step."""
    made = replace(exchange(number, request(intent.key)), step=intent.step, operation=intent.operation)
    return replace(made, answer=answer, seen=answer, began=began, ended=ended)


def created(name: str) -> Answer:
    """A 201 that names a resource."""
    return Answer(201, (), b'{"id":"%b"}' % name.encode())


def history(*sent: tuple[Intent, Exchange], effects: tuple[Effect, ...] = ()) -> History:
    """One case."""
    return History("x", tuple(i for i, _ in sent), {}, tuple(x for _, x in sent), effects, Claims("x"))


def again(step: int, **other: object) -> Intent:
    """The same payment as another step."""
    return replace(PAYMENT, step=step, moment=step, **other)  # type: ignore[arg-type]


def in_turn(*intents: Intent) -> History:
    """One after the other, each accepted with a payment of its own."""
    sent = [(i, of(i, n, n, n + 0.5, created(f"pay_{n}"))) for n, i in enumerate(intents, 1)]
    return history(*sent, effects=tuple(Effect("payment", f"pay_{n}", 6540, "EUR") for n, _ in enumerate(intents, 1)))


def test_duplicates_are_what_was_asked_for_with_one_key() -> None:
    """Two requests of one tenant with one key, in turn; and what came of them."""
    (group,) = duplicates(in_turn(PAYMENT, again(2)), GENERIC)
    assert group.exchanges == (1, 2)
    assert [effect.id for effect in group.effects] == ["pay_1", "pay_2"]


def test_nothing_is_told_of_a_key_beside_another() -> None:
    """Effects are known by their amount: those of another key or tenant are not to be held against this one."""
    assert list(duplicates(in_turn(PAYMENT, again(2), again(3, key=b"other")), GENERIC)) == []
    assert list(duplicates(in_turn(PAYMENT, again(2), again(3, tenant="tenant-b")), GENERIC)) == []


def test_as_much_in_another_currency_is_another_body() -> None:
    """What came of it is what moved in its own currency; where the effects name none, nobody can say."""
    dollars, euros = replace(PAYMENT, currency="USD"), again(2)
    one, other = Effect("payment", "pay_1", 6540, "usd"), Effect("payment", "pay_2", 6540, "EUR")

    def asked(*effects: Effect) -> History:
        return replace(in_turn(dollars, euros), effects=effects)

    (pair,) = reuses(asked(one, other), GENERIC)
    assert pair.effects_of_second == (other,)
    assert [each.effects for each in under_several_keys(asked(one, other), GENERIC)] == [(one,), (other,)]
    (pair,) = reuses(asked(one), GENERIC)
    assert pair.effects_of_second == ()
    nameless = asked(replace(one, currency=""), replace(other, currency=""))
    assert [pair.effects_of_second for pair in reuses(nameless, GENERIC)] == [()]
    assert list(under_several_keys(nameless, GENERIC)) == []


def test_what_was_not_in_flight_together_is_no_race() -> None:
    """A race is judged only where requests were released together and the recorded times show that they met."""
    twin = replace(again(2), moment=PAYMENT.moment)
    late = replace(twin, manner=Manner(after=0.5))
    effects = in_turn(PAYMENT, twin).effects or ()

    def sent(second: Intent, began: float) -> History:
        first = (PAYMENT, of(PAYMENT, 1, 0.0, 1.0, created("pay_1")))
        return history(first, (second, of(second, 2, began, began + 1, created("pay_2"))), effects=effects)

    def judged(one: History) -> tuple[int, int]:
        return len(list(duplicates(one, GENERIC))), len(list(concurrent_duplicates(one, GENERIC)))

    assert judged(sent(again(2), 2.0)) == (1, 0)
    assert judged(sent(twin, 0.5)) == (0, 1)
    assert judged(sent(twin, 2.0)) == (0, 0)
    assert judged(sent(late, 0.5)) == judged(sent(late, 2.0)) == (1, 0)


def test_a_first_request_that_was_refused_is_no_first_answer() -> None:
    """What comes after it is no retry of anything."""
    second = again(2)
    refused = of(PAYMENT, 1, 0.0, 0.5, Answer(400))
    assert list(retries(history((PAYMENT, refused), (second, of(second, 2, 1.0, 1.5, created("p")))), GENERIC)) == []


def test_a_request_of_nobodys_is_a_post_without_intent() -> None:
    """It is judged as such, and belongs to no call."""
    stray = replace(exchange(1, request()), step=None)
    found = History("x", (PAYMENT,), {}, (stray,), (), Claims("x"))
    (post,) = posts(found, GENERIC)
    assert post.intent is None
    assert list(calls(found, GENERIC)) == []


def refunds_at_once(*answers: Answer, together: bool) -> History:
    """A payment of 6540, and refunds of 4000 with these answers, in flight together or not."""
    sent = [(PAYMENT, of(PAYMENT, 1, 0.0, 0.5, created("pay_1")))]
    for number, answer in enumerate(answers, 2):
        intent = Intent(
            number, f"refund-{number}", "create-refund", number, amount=4000 + number, key=b"r%d" % number, payment=1
        )
        began = 1.0 if together else float(number)
        sent.append((intent, of(intent, number, began, began + 0.5, answer)))
    return history(
        *sent, effects=(Effect("payment", "pay_1", 6540, "EUR"), Effect("refund", "ref_1", 4002, "EUR", "pay_1"))
    )


def test_a_refund_that_was_refused_for_its_haste_is_not_held_to_another_reason() -> None:
    """409 to one of two refunds at once may mean the lock; to one after the other it is not the documented 422."""
    rule = load()["refusals-are-answered-as-documented"]
    busy = Answer(409, (), b'{"message":"busy"}')
    assert hold(rule, refunds_at_once(created("ref_1"), busy, together=True), GENERIC).occasions == 0
    judged = hold(rule, refunds_at_once(created("ref_1"), busy, together=False), GENERIC)
    assert judged.occasions == 1
    assert "exceeds-captured is documented as 422" in judged.problems[0].sentence
