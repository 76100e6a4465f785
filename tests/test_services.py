"""Services are found in one order, by real servers where this machine has them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata

import pytest

import services
from psp_harness.services import SERVICES, Closed, Found, Missing, Service, containers, find, look
from psp_harness.services.programs import free_port
from services import address_of

NO_CONTAINERS = {"SKIP_TESTCONTAINERS": "true"}


def nobody(address: str) -> str:
    """Stand for a place at which nobody listens."""
    raise ConnectionError(address)


def closed() -> str:
    """Stand for a way that is closed."""
    raise Closed("not here")


REDIS = replace(SERVICES["redis"], ask=lambda _: "7.0", driver="json", wheel="", binary="no-such-program")


@contextmanager
def listening() -> Iterator[str]:
    """An address at which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_what_is_named_comes_first() -> None:
    """The variable decides, in its order, also where another one listens on loopback; host:port will do."""
    assert find(REDIS, {"REDIS_TEST_URL": "redis://a:1", "REDIS_ADDR": "b:2"}) == Found(
        "redis://a:1", "named by REDIS_TEST_URL", "7.0"
    )
    assert find(REDIS, {"REDIS_ADDR": "b:2"}) == Found("redis://b:2", "named by REDIS_ADDR", "7.0")
    assert find(REDIS, {}) == Found(REDIS.loopback, "listens on loopback", "7.0")


def test_what_is_named_is_not_replaced() -> None:
    """Where the named one does not answer, no other one is taken for it, and its password is not said."""
    missing = find(replace(REDIS, ask=nobody), {"REDIS_ADDR": "redis://:geheim@b:2"})
    says = f"REDIS_ADDR is set: no Redis answers there (ConnectionError); {REDIS.form}"
    assert missing == Missing(says, named=True)
    assert "an address is HOST:PORT, or a URL such as redis://127.0.0.1:6379" in says


UNASKED = replace(REDIS, driver="no_such_driver", wheel="json", binary="sh")
"""A service whose driver nobody installed, though its programs are there."""


def test_what_no_driver_can_ask_is_not_called_silent() -> None:
    """Something listens there, and what it takes to ask it is said: at a place that is named, and on loopback."""
    do = "something listens there; its driver no_such_driver is not installed: pip install 'psp-harness[stores]'"
    with listening() as address:
        missing = look(UNASKED, {"REDIS_ADDR": address})
        assert missing == Missing(f"REDIS_ADDR is set: {do}; {REDIS.form}", named=True)
        missing = look(replace(UNASKED, loopback=f"redis://{address}"), NO_CONTAINERS)
        assert missing == Missing(f"no Redis (loopback: {do})")


@pytest.mark.parametrize(
    ("address", "heard"),
    [
        ("redis://127.0.0.1:1", "nothing listens there"),
        ("unix:///tmp/redis.sock", "whether anything listens there cannot be told"),
        ("redis://a:b", "whether anything listens there cannot be told"),
    ],
)
def test_without_a_driver_only_an_open_port_is_heard(address: str, heard: str) -> None:
    """What cannot be told is not told."""
    assert UNASKED.heard(address) == heard


def test_without_its_driver_nothing_is_started() -> None:
    """Nobody could ask it whether it is up; and doctor does not promise it."""
    never = replace(
        UNASKED, start_wheel=closed, start_binary=lambda _: closed(), loopback=f"redis://127.0.0.1:{free_port()}"
    )
    for searched in (find(never, NO_CONTAINERS), look(never, NO_CONTAINERS)):
        assert isinstance(searched, Missing)
        assert "nothing listens there; its driver" in searched.reason


@pytest.mark.parametrize("kind", SERVICES)
def test_the_extra_brings_the_driver(kind: str) -> None:
    """The one that is named to whoever lacks the driver; aio-pika brings aiormq."""
    service = SERVICES[kind]
    wanted = {"aiormq": "aio-pika"}.get(service.driver, service.driver)
    requires = metadata.requires("psp-harness") or ()
    assert [line for line in requires if line.startswith(wanted) and f"'{service.extra}'" in line]


def asking(*answering: str) -> Service:
    """Build a service of which only those addresses answer."""

    def ask(address: str) -> str:
        return "7.0" if address in answering else nobody(address)

    return replace(REDIS, ask=ask, wheel="json", start_wheel=lambda: "wheel", binary="sh", start_binary=lambda _: "sh")


@pytest.mark.parametrize(
    ("answering", "how"),
    [
        (("wheel", "sh"), "out of a wheel"),
        (("sh",), "from its program"),
        ((REDIS.loopback, "wheel"), "listens on loopback"),
    ],
)
def test_ways_are_tried_in_their_order(answering: tuple[str, ...], how: str) -> None:
    """Loopback, container, wheel, program: the first that answers."""
    found = find(asking(*answering), NO_CONTAINERS)
    assert isinstance(found, Found)
    assert found.how == how


def test_every_closed_way_is_a_reason() -> None:
    """Where there is none, it says why, way by way, and what to do."""
    missing = find(replace(REDIS, ask=nobody), NO_CONTAINERS)
    assert isinstance(missing, Missing)
    for said in (
        "listens on loopback: no Redis answers there", "in a container: SKIP_TESTCONTAINERS is true",
        "out of a wheel: there is no wheel of it", "no-such-program is not on the PATH", REDIS.do,
    ):  # fmt: skip
        assert said in missing.reason


def test_looking_starts_nothing() -> None:
    """`doctor` says what would be started, and does not."""
    never = replace(asking(), start_wheel=closed, start_binary=lambda _: closed())
    assert look(never, NO_CONTAINERS) == Found("", "would be started, out of a wheel", "")


def test_a_container_needs_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no Docker engine answers, that is found out before anything is pulled, and said."""
    pytest.importorskip("testcontainers")
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{free_port()}")
    assert containers.closed({}).startswith("no Docker engine answers")
    with pytest.raises(Closed, match="no Docker engine answers"):
        containers.start(REDIS, {})


def test_a_container_answers() -> None:
    """Where a Docker engine runs, a container of the image is started, and asked; the services need none."""
    if why := containers.closed({}):
        pytest.skip(why)
    service = SERVICES["redis"]
    assert service.ask(containers.start(service, {})).startswith("7.")


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["postgresql", "redis"])
def test_a_wheel_has_a_server(kind: str) -> None:
    """It is started, and answers with its version."""
    service = SERVICES[kind]
    if why := service.wheel_closed():
        pytest.skip(why)
    assert service.ask(service.from_wheel())[0].isdigit()


@pytest.mark.integration
@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["redis", "rabbitmq"])
def test_a_program_is_started(kind: str) -> None:
    """It is started beside any other that runs here, and answers with its version."""
    service = SERVICES[kind]
    if why := service.binary_closed():
        pytest.skip(why)
    assert service.ask(service.from_binary())[0].isdigit()


def test_a_program_that_does_not_start_is_one_sentence() -> None:
    """Its last words, and no wait for what has ended."""
    broken = replace(SERVICES["redis"], binary="false")
    with pytest.raises(Closed, match="did not answer"):
        broken.from_binary()


@pytest.mark.parametrize(
    ("ci", "named", "outcome"),
    [
        ("true", True, pytest.fail.Exception),
        ("true", False, pytest.skip.Exception),
        ("", True, pytest.skip.Exception),
    ],
)
def test_in_ci_a_named_service_has_to_answer(
    ci: str, named: bool, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A skip is for machines that have none, and for nobody's CI that says it has one."""
    monkeypatch.setattr(services, "_found", lambda _: Missing("why", named=named))
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="why"):
        address_of("redis")
