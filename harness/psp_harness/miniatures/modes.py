"""The failure modes that miniatures are measured against: what each means, and where none is shown, the reason.

A mode without a reason has a miniature that names it; a test holds that each mode has the one or the other. `later`
begins the reasons that a part of the harness which is still missing will take away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mode:
    """One way in which real payment integrations lose or double money."""

    says: str
    """What goes wrong."""
    unshown: str = ""
    """Why no miniature shows it; empty where one does."""


CLIENT: Mapping[str, Mode] = {
    "C01": Mode("a payment is sent without a key"),
    "C02": Mode("a refund is sent without a key, though payments have one"),
    "C03": Mode("an empty key is sent"),
    "C04": Mode("a key that the caller stored is replaced by a random one"),
    "C05": Mode("each attempt of one call has a key of its own"),
    "C06": Mode("a caller that tries again gets a new key, because it is made inside what is tried again"),
    "C07": Mode("the time or chance is a part of the key"),
    "C08": Mode("all calls share one key, copied from the documentation"),
    "C09": Mode("the key says no more than the order, so that a second refund gets the answer of the first"),
    "C10": Mode("the key is made from fields that differ with each attempt"),
    "C11": Mode("the key is a hash of the request, so that the second of two like orders is lost"),
    "C12": Mode("one key serves two operations"),
    "C13": Mode("the key is made from a row that is not committed, and is another one after a rollback"),
    "C14": Mode("the stored key is deleted on an error, and the next attempt makes another"),
    "C15": Mode("the key is not stored before it is sent, and a restart makes another"),
    "C16": Mode("the body changes from one attempt to the next, under one key"),
    "C17": Mode("a key is longer than the PSP takes, or of characters that it does not take"),
    "C18": Mode("the key is sent in a header of another name"),
    "C19": Mode("the caller's header is lost where headers are merged"),
    "C20": Mode("the key stands in two lines, or twice in one"),
    "C21": Mode("something below the client sends a request again, without its key"),
    "C22": Mode("a request is sent again after the PSP has forgotten its key"),
    "C23": Mode("a request is sent again to another region or account, with the same key"),
    "C24": Mode("a lost answer is taken for a refusal"),
    "C25": Mode("'still in flight' is taken for a refusal"),
    "C26": Mode("a request that was told to wait is sent again at once, or with a new key"),
    "C27": Mode("a request that can never succeed is sent again for ever"),
    "C28": Mode("an answer that is replayed is booked as a second success"),
    "C29": Mode("a refusal for another body is swallowed, and another order's payment is shown"),
    "C30": Mode("two workers make two keys for one order"),
    "C31": Mode("two workers each see an order unpaid, and both charge it"),
    "C32": Mode("the client waits for less time than the PSP needs, and sends again as a new request"),
}

PROVIDER: Mapping[str, Mode] = {
    "P01": Mode("no duplicate is recognised"),
    "P02": Mode("a key is looked up, and claimed only after the work: duplicates that come together all execute"),
    "P03": Mode("the lock covers the lookup and not the work"),
    "P04": Mode("the lock's lease ends before the work does, and the next request works as well"),
    "P05": Mode("whoever lost the lock frees it from under its next holder"),
    "P06": Mode("bodies are not compared: another body gets the answer of the first"),
    "P07": Mode("the body is a part of the key: another body executes"),
    "P08": Mode("route, path or a part of the body is left out of what is compared"),
    "P09": Mode("more is compared than the request means: headers, order of members, white space"),
    "P10": Mode("bodies are not compared while the first request is in flight"),
    "P11": Mode("a request on another route gets the answer of the first"),
    "P12": Mode("a key is shared by all tenants, and one is shown another's payment"),
    "P13": Mode("the client's address or token is a part of the scope: a retry from elsewhere executes again"),
    "P14": Mode("a replay has another status than the first answer"),
    "P15": Mode("a replay has another body than the first answer"),
    "P16": Mode("a replay is made anew, with a new id or time"),
    "P17": Mode("a replay is not marked as one, where that is documented"),
    "P18": Mode("only one of the statuses of success is kept"),
    "P19": Mode("a 5xx that is answered after money moved is not kept: the retry moves it again"),
    "P20": Mode("a request that breaks off after money moved frees its key"),
    "P21": Mode("a request that breaks off before money moved leaves its key in flight for ever"),
    "P22": Mode("a refusal from before the execution is kept: the corrected request is refused as well"),
    "P23": Mode("a missing key is accepted where one is required"),
    "P24": Mode("an empty key is taken for one that everybody shares"),
    "P25": Mode("an odd key is accepted, or breaks the provider"),
    "P26": Mode("requests with other keys, or without, are taken for duplicates because they are alike"),
    "P27": Mode("a key lives longer or shorter than is documented"),
    "P28": Mode("the answer of an expired key is forgotten, and its lock is not"),
    "P29": Mode("a replay prolongs the life of its key"),
    "P30": Mode(
        "the life of a key counts from the answer, or ends while the request is in flight",
        "no clock moves while a request is in flight, and the two ways to count differ by the time that the "
        "work takes: "
        "less than what lies between 23 h, when a key must live, and 25 h, when it must not",
    ),
    "P31": Mode("keys that live are forgotten under load"),
    "P32": Mode("the answer is sent before its effect is durable, and the effect is lost"),
    "P33": Mode(
        "the key store is out of reach, and requests execute without it",
        "the store is inside: nobody outside can take it away; held by the tests of the reference provider's stores",
    ),
    "P34": Mode("a record is looked up where it is not visible yet"),
    "P35": Mode("a duplicate in flight is answered with a 5xx, which asks clients to send it again"),
    "P36": Mode("two keys become one where they are joined to something else"),
    "P37": Mode("a header of the client's passes over the store"),
    "P38": Mode("keys that differ in case are one"),
    "P39": Mode("a read is answered from the store of keys"),
    "P40": Mode("a refusal has another status or code than is documented"),
}

STATE: Mapping[str, Mode] = {
    "R01": Mode("more is given back than was captured"),
    "R02": Mode("refunds that come together each see the whole remainder"),
    "R03": Mode("an amount that is no positive integer is accepted"),
    "R04": Mode("a second refund of another amount gets the answer of the first"),
    "R05": Mode("a payment is given back that was never captured, or is void"),
    "R06": Mode("a refund has another currency or another unit than its payment"),
    "R07": Mode("a refund whose answer was lost is forgotten, and made again"),
    "R08": Mode("giving back a duplicate payment cancels the good order"),
    "R09": Mode("only the latest refund of a payment is stored, and an earlier one is booked again"),
    "R10": Mode("a payment is captured twice, above what was authorised, or voided after it was captured"),
    "R11": Mode("a refund that failed later stays booked as done"),
    "R12": Mode("a declined payment moves money, or can never be paid again"),
}

RECEIVER: Mapping[str, Mode] = {
    "W01": Mode("no signature is checked, or none where no secret was given"),
    "W02": Mode("what is verified is the body as it was written anew, not as it came"),
    "W03": Mode("an empty secret is accepted"),
    "W04": Mode(
        "signatures are compared in a time that depends on where they differ",
        "nanoseconds: they drown in what the network and the receiver's other work take; no verdict would be true",
    ),
    "W05": Mode("a stale webhook is accepted"),
    "W06": Mode("a webhook of the future is accepted"),
    "W07": Mode("the time is taken from what nobody signed"),
    "W08": Mode("the first signature alone is looked at, or one of any version"),
    "W09": Mode("of a batch the first event alone is verified"),
    "W10": Mode("fields that are joined are taken for what the signature does not tell apart"),
    "W11": Mode("what is signed is put together in another form than the PSP's, and genuine webhooks are refused"),
    "W12": Mode("another hash than the scheme's, or a certificate of anybody's"),
    "W13": Mode("a malformed header or body is a server error, and comes again for ever"),
    "W14": Mode("an event of the test mode is accepted in the live mode, or the other way"),
    "W15": Mode("an event that is delivered twice is applied twice"),
    "W16": Mode("deliveries at once each see that the event is new"),
    "W17": Mode("the delivery's id is kept instead of the event's, or the event's before it is applied"),
    "W18": Mode("it says yes before it has written anything down"),
    "W19": Mode("events of other types are refused, and the endpoint is disabled in the end"),
    "W20": Mode("what comes late overwrites what came after it"),
    "W21": Mode("a refund that comes before its payment is lost"),
    "W22": Mode("a webhook that comes before the PSP's answer is lost, or pays a second time"),
    "W23": Mode("the page to which the customer returns and the webhook both ship"),
    "W24": Mode("an unsigned webhook is believed, and nobody asks the PSP"),
    "W25": Mode("amount and currency are not compared with the order"),
    "W26": Mode("an event of another account is applied"),
    "W27": Mode("a request that is sent to the PSP from within a webhook's handler has a fresh key each time"),
    "W28": Mode("event ids are forgotten before the PSP gives up"),
    "W29": Mode("an event that comes again, signed anew, is refused as a replay"),
    "W30": Mode("nobody asks what became of a payment of which no webhook came"),
}

FURTHER: Mapping[str, Mode] = {
    "A6": Mode("a connection that fails before anything was sent is taken for a reason to make another key"),
    "A7": Mode("a form that is submitted twice is two orders"),
    "A9": Mode("a client tries again more often than it declares, or after other errors"),
    "A11": Mode("a subscription's payment is sent without a key, or once for each run of the job"),
    "A12": Mode("the key of a refund is not the id of its row, though the shop says that it is"),
    "B6": Mode("a provider says that it lives or is ready when it is not, or the other way"),
}
"""What an integration or a provider has to keep, beside what is known to go wrong."""

MODES: Mapping[str, Mode] = {**CLIENT, **PROVIDER, **STATE, **RECEIVER, **FURTHER}

_NAMED = re.compile(r"\b([A-Z])(\d+)\b(?: to \1(\d+)\b)?")


def modes_in(text: str) -> frozenset[str]:
    """The modes that a text names: `C06, C13 to C15` names four."""
    codes = (
        f"{area}{number:0{len(first)}}"
        for area, first, last in _NAMED.findall(text)
        for number in range(int(first), int(last or first) + 1)
    )
    return frozenset(code for code in codes if code in MODES)
