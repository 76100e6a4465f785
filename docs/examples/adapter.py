"""A whole adapter: a client of the generic profile, driven by the subject protocol."""

import http.client
import json
import re
import sys
import urllib.error
import urllib.request


class Adapter:
    def start(self, base_url, credentials, answer_timeout, **_):
        self.base_url, self.token, self.timeout = base_url, credentials["token"], answer_timeout
        return {"ok": {"name": "example", "language": "python", "features": ["caller-keys", "refunds"]}}

    def do(self, step, params, **_):
        key = params.get("key", "")
        if not re.fullmatch(r"[!-+\--~]{1,255}", key):  # %x21-7E without the comma
            return {"refused": {"message": f"{key!r} is no idempotency key"}}
        body = {name: params[name] for name in ("amount", "currency", "payment_id") if name in params}
        route, its_id = ("/payments", "payment_id") if step == "create-payment" else ("/refunds", "refund_id")
        try:
            made = self.post(route, key, body)
        except urllib.error.HTTPError as error:
            is_no = 400 <= error.code < 500 and error.code != 409  # 409: the first request is still being processed
            return {"failed": {"kind": "rejected" if is_no else "unknown", "message": str(error)}}
        except (OSError, http.client.HTTPException, ValueError) as error:
            return {"failed": {"kind": "unknown", "message": repr(error)}}  # the money may have moved
        return {"ok": {its_id: made["id"], "status": made["status"]}}

    def post(self, route, key, body):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "Idempotency-Key": key}
        request = urllib.request.Request(self.base_url + route, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=self.timeout) as answer:
            return json.load(answer)

    def stop(self, **_):
        return {"ok": {}}


if __name__ == "__main__":
    adapter = Adapter()
    for line in sys.stdin:
        command = json.loads(line)
        number, verb = command.pop("id"), command.pop("cmd")
        answer = getattr(adapter, verb)(**command) if hasattr(adapter, verb) else {"ok": {}}
        print(json.dumps({"id": number, **answer}), flush=True)
