// A whole adapter: the official stripe package of npm, driven by the subject protocol. Standard output is the protocol's alone.
import fs from "node:fs";
import https from "node:https";
import readline from "node:readline";
import Stripe from "stripe";

const RETRIES = 2;
const NO = new Set([
  "StripeInvalidRequestError",
  "StripeIdempotencyError",
  "StripeAuthenticationError",
  "StripePermissionError",
]);
let stripe;

const verbs = {
  start({ base_url, credentials, answer_timeout, ca_file }) {
    const { hostname, port, protocol } = new URL(base_url);
    stripe = new Stripe(credentials.token, {
      host: hostname,
      port: Number(port),
      protocol: protocol.slice(0, -1),
      httpAgent: ca_file ? new https.Agent({ ca: fs.readFileSync(ca_file) }) : undefined,
      maxNetworkRetries: RETRIES,
      timeout: answer_timeout * 1000, // milliseconds
      telemetry: false,
    });
    const features = ["caller-keys", "own-keys", "retries", "refunds", "parallel", "tls"];
    const retries = { max: RETRIES, on: ["lost", "5xx", "409"] };
    return { ok: { name: "stripe-node", version: Stripe.PACKAGE_VERSION, language: "javascript", features, retries } };
  },

  async do({ step, params }) {
    const options = "key" in params ? { idempotencyKey: params.key } : {};
    try {
      return { ok: step === "create-payment" ? await pay(params, options) : await refund(params, options) };
    } catch (error) {
      const kind = error.type === "StripeCardError" ? "declined" : NO.has(error.type) ? "rejected" : "unknown";
      return { failed: { kind, message: `${error.type ?? error.name}: ${error.message}` } };
    }
  },
};

async function pay({ amount, currency, order_id }, options) {
  const made = await stripe.paymentIntents.create(
    {
      amount,
      currency: currency.toLowerCase(),
      confirm: true,
      payment_method: "pm_card_visa",
      metadata: { reference: order_id },
    },
    options,
  );
  return { payment_id: made.id, status: made.status };
}

async function refund({ payment_id, amount, refund_id }, options) {
  const made = await stripe.refunds.create(
    { payment_intent: payment_id, amount, metadata: { reference: refund_id } },
    options,
  );
  return { refund_id: made.id, status: made.status };
}

readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, cmd, ...members } = JSON.parse(line);
  const answer = verbs[cmd] ? await verbs[cmd](members) : { ok: {} };
  process.stdout.write(JSON.stringify({ id, ...answer }) + "\n");
});
