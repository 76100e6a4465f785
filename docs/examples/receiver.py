r"""A whole webhook receiver in Flask, with Stripe's own library: pip install flask stripe.

psp-harness run --role receiver --subject wsgi:receiver:app --profile stripe \
  --orders /test/orders --effects /test/effects
"""

import os
import threading

import stripe
from flask import Flask, jsonify, request

app = Flask(__name__)
SECRET = os.environ["PSP_WEBHOOK_SECRET"]
ORDERS, EVENTS, EFFECTS, LOCK = {}, set(), [], threading.Lock()  # your database, and its transactions


@app.post("/webhooks")
def webhook():
    try:
        signature = request.headers.get("Stripe-Signature")
        event = stripe.Webhook.construct_event(request.get_data(), signature, SECRET).to_dict()
        told, about = event["type"], event["data"]["object"]
        name, live = event["id"], event["livemode"]
    except (ValueError, LookupError, TypeError, AttributeError, stripe.SignatureVerificationError):
        return "not to be believed", 400
    with LOCK:  # one transaction: the event's id, the order, and what comes of it
        if name not in EVENTS and not live:
            order = ORDERS.get(about.get("metadata", {}).get("reference"))
            if order and told.endswith("refund.updated") and order["status"] != "paid":
                return "its payment is not known yet: come again", 409
            if order:
                apply(told, about, order)
            EVENTS.add(name)
    return "taken", 200


def apply(told, about, order):
    same_currency = about["currency"] == order["currency"].lower()
    if told == "payment_intent.succeeded" and order["status"] != "paid":
        if same_currency and about["amount_received"] == order["amount"]:
            order["status"] = "paid"
            book("order-paid", order, order["amount"])
    elif told == "payment_intent.payment_failed" and order["status"] == "pending":
        order["status"] = "failed"
    elif told == "charge.refund.updated" and about["status"] == "succeeded" and same_currency:
        book("order-refunded", order, about["amount"])


def book(kind, order, amount):
    EFFECTS.append({"kind": kind, "id": order["id"], "amount": amount, "currency": order["currency"]})


# --- for tests alone: which orders there are, and what was done ---


@app.post("/test/orders")
def add_orders():
    ORDERS.update({order["id"]: ORDERS.get(order["id"], order) for order in request.get_json()["orders"]})
    return "", 204


@app.get("/test/effects")
def say_effects():
    return jsonify(effects=EFFECTS, orders=[{"id": o["id"], "status": o["status"]} for o in ORDERS.values()])
