"""Which names a service without keys believes."""

import pytest
from common.service.hosts import is_believed_host, is_believed_origin

LOOPBACK = ["localhost", "localhost:8101", "LOCALHOST:8101", "127.0.0.1:8101", "[::1]:8101"]
PRIVATE = ["10.1.2.3:80", "p1:8000", "p1.roadmap.svc.cluster.local", "app.localhost", "nas.local"]
PUBLIC = ["evil.example", "evil.example:8101", "", "127.0.0.1.evil.example", "[", "a.local.evil.io"]


@pytest.mark.parametrize("host", [*LOOPBACK, *PRIVATE])
def test_names_that_nobody_can_rebind_are_believed(host: str) -> None:
    assert is_believed_host(host)


@pytest.mark.parametrize("host", PUBLIC)
def test_public_names_are_not_believed_unless_listed(host: str) -> None:
    assert not is_believed_host(host)


@pytest.mark.parametrize("allowed", ["api.example.com", "api.example.com:443", "*"])
def test_a_listed_name_is_believed(allowed: str) -> None:
    assert is_believed_host("api.example.com:443", (allowed,))


@pytest.mark.parametrize(
    "origin", [None, "http://localhost:3000", "http://127.0.0.1", "http://p1:8000"]
)
def test_this_machine_and_the_same_host_are_believed_origins(origin: str | None) -> None:
    assert is_believed_origin(origin, "p1:8000")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://10.0.0.7", "http://["])
def test_other_origins_are_not(origin: str) -> None:
    assert not is_believed_origin(origin, "localhost:8101")


def test_an_origin_may_be_listed() -> None:
    assert is_believed_origin("https://app.example.com", "x", ("app.example.com",))
