"""django-idempotency-key 1.3.0, as its README mounts it: `app`; `app_that_replays` gives the first status again.

Django's settings are the whole process's, so an application is made when its attribute is asked for, and only one.
"""

from __future__ import annotations

import time

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.urls import path
from idempotency_key.decorators import idempotency_key_exempt

from .books import WORK_SECONDS, Answer, Asked, Books

books = Books()


def move_or_show(request: HttpRequest, **_: str) -> JsonResponse:
    """The routes of profile `generic`."""
    authorization = request.headers.get("Authorization")
    if request.method != "POST":
        return _json(books.shown(request.path, authorization))
    asked = books.asked(request.path, authorization, request.body)
    if isinstance(asked, Asked):
        time.sleep(WORK_SECONDS)
        asked = books.book(asked)
    return _json(asked)


def effects(_: HttpRequest) -> JsonResponse:
    """What `--effects` reads."""
    return _json(books.effects())


@idempotency_key_exempt
def advance(_: HttpRequest) -> JsonResponse:
    """Nothing to move: the middleware never looks at a clock."""
    return JsonResponse({})


def _json(answer: Answer) -> JsonResponse:
    return JsonResponse(answer.body, status=answer.status)


urlpatterns = [
    path("payments", move_or_show),
    path("refunds", move_or_show),
    path("payments/<name>", move_or_show),
    path("refunds/<name>", move_or_show),
    path("effects", effects),
    path("clock", advance),
]


def mounted(**options: object) -> WSGIHandler:
    """The one application of this process."""
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        MIDDLEWARE=["idempotency_key.middleware.IdempotencyKeyMiddleware"],
        ROOT_URLCONF=__name__,
        IDEMPOTENCY_KEY=options,
    )
    django.setup(set_prefix=False)
    return WSGIHandler()


def __getattr__(name: str) -> WSGIHandler:
    """`app` or `app_that_replays`."""
    match name:
        case "app":
            return mounted()
        case "app_that_replays":
            return mounted(CONFLICT_STATUS_CODE=None)
    raise AttributeError(name)
