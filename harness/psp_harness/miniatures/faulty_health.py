"""Providers that say of themselves what is not so. Whoever starts them again, or sends to them, goes by that."""

from __future__ import annotations

from psp_harness.miniatures.chosen_ids import IdsArePrimaryKeys, refused
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.providers import answered
from psp_harness.model import Answer, Request, Role


@miniature(
    "hides-its-health",
    role=Role.PROVIDER,
    mode="B6",
    breaks={"a-provider-that-works-says-that-it-lives"},
    profile="hyperswitch",
)
class HidesItsHealth(IdsArePrimaryKeys):
    """Asks for a key on its liveness route too: whoever watches over it starts it again, in the middle of payments."""

    def health(self, request: Request) -> Answer:
        if request.target == "/health" and not request.lines("api-key"):
            return refused(401, "IR_01", "API key not provided or invalid API key used")
        return super().health(request)


@miniature(
    "never-ready",
    role=Role.PROVIDER,
    mode="B6",
    breaks={"readiness-is-told-truly"},
    profile="hyperswitch",
)
class NeverReady(IdsArePrimaryKeys):
    """Says that it is not ready for as long as some other service is away, without which it takes payments as well."""

    def health(self, request: Request) -> Answer:
        if request.target == "/health/ready":
            return refused(500, "HE_00", "opensearch health check failed with error: it does not answer")
        return super().health(request)


@miniature(
    "ready-too-early",
    role=Role.PROVIDER,
    mode="B6",
    breaks={"readiness-is-told-truly", "a-fresh-key-executes"},
    profile="hyperswitch",
)
class ReadyTooEarly(IdsArePrimaryKeys):
    """Says that it is ready, and only then opens its database: the payment that comes next meets a closed one."""

    def __init__(self) -> None:
        super().__init__()
        self.opening = False

    def health(self, request: Request) -> Answer:
        self.opening = self.opening or request.target == "/health/ready"
        return super().health(request)

    def answer(self, request: Request) -> Answer:
        if self.opening and request.method == "POST":
            self.opening = False
            return refused(500, "HE_00", "Something went wrong")
        return super().answer(request)


@miniature(
    "ready-in-other-words",
    role=Role.PROVIDER,
    mode="B6",
    breaks={"readiness-is-told-truly"},
    profile="hyperswitch",
)
class ReadyInOtherWords(IdsArePrimaryKeys):
    """Answers 200 whatever its database does, and says in the body alone that it is not ready."""

    def health(self, request: Request) -> Answer:
        return answered(200, {"database": False}) if request.target == "/health/ready" else super().health(request)
