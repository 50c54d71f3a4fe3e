"""Web pages, over real sockets to a server here that stands for public hosts."""

import gzip
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpcore2
import pytest
from p3_rag_chatbot.errors import DocumentTooLargeError, FetchError
from p3_rag_chatbot.ingestion.addresses import is_public
from p3_rag_chatbot.ingestion.fetching import Fetcher
from p3_rag_chatbot.ingestion.sitemaps import is_sitemap, pages_of
from p3_rag_chatbot.settings import Settings

PUBLIC = "93.184.216.34"
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Web:
    """The world as a fetcher sees it: names, the server behind them, what was connected to."""

    names: dict[str, list[str]] = field(default_factory=dict)
    pages: dict[str, Answer] = field(default_factory=dict)
    connected: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def resolve(self, host: str, port: int) -> list[str]:
        if host not in self.names:
            raise socket.gaierror(-2, "Name or service not known")
        return self.names[host]

    def page(self, url: str, content: bytes | str, status: int = 200, **headers: str) -> None:
        body = content.encode() if isinstance(content, str) else content
        shown = {key.replace("_", "-"): value for key, value in headers.items()}
        self.pages[url.removeprefix("http://")] = (status, shown, body)

    def fetcher(self, *hosts: str, **settings: object) -> Fetcher:
        web = self

        class Here(httpcore2.SyncBackend):
            def connect_tcp(self, host, port, *rest, **options):
                web.connected.append(host)
                return super().connect_tcp("127.0.0.1", web.port, *rest, **options)

        allowed = hosts or ("example.org",)
        return Fetcher(Settings(web_hosts=allowed, **settings), self.resolve, Here())


@pytest.fixture
def web() -> Iterator[Web]:
    world = Web(names={"example.org": [PUBLIC], "other.org": [PUBLIC]})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = f"{self.headers['Host']}{self.path}"
            world.asked.append(url)
            status, headers, body = world.pages.get(url, (404, {}, b""))
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    world.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield world
    server.shutdown()
    server.server_close()


def test_a_page_of_an_allowed_host_is_fetched_from_the_address_that_was_checked(web: Web) -> None:
    web.page("http://example.org/a?b=1", "<p>hi", content_type="text/html")
    with web.fetcher() as fetcher:
        raw = fetcher.fetch("http://example.org/a?b=1#part")
    assert (raw.source, raw.content) == ("http://example.org/a?b=1", b"<p>hi")
    assert raw.media_type == "text/html"
    assert set(web.connected) == {PUBLIC}
    assert web.asked[0] == "example.org/robots.txt"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "fe80::1%eth0", "fc00::1", "::",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "not an address",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address: str, web: Web) -> None:
    assert not is_public(address)
    web.names["example.org"] = [PUBLIC, address]
    with web.fetcher() as fetcher, pytest.raises(FetchError, match="not a public address"):
        fetcher.fetch("http://example.org/")
    assert web.connected == []


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)


def test_a_name_is_resolved_once_a_connection_and_one_that_turns_inwards_is_refused(
    web: Web,
) -> None:
    """The second connection would go to this machine: its address is checked like the first's."""
    answers = [[PUBLIC], ["127.0.0.1"]]
    web.page("http://example.org/", "secret")
    web.resolve = lambda host, port: answers.pop(0)
    with web.fetcher() as fetcher, pytest.raises(FetchError, match="not a public address"):
        fetcher.fetch("http://example.org/")
    assert answers == []
    assert web.connected == [PUBLIC]
    assert web.asked == ["example.org/robots.txt"]


def test_hosts_that_are_not_allowed_are_not_even_resolved(web: Web) -> None:
    with web.fetcher("example.org", ".sub.org") as fetcher:
        for url in ("http://other.org/", "http://evilexample.org/", "http://a.example.org/"):
            with pytest.raises(FetchError, match="P3_WEB_HOSTS"):
                fetcher.fetch(url)
        for url in ("http://sub.org/", "http://a.sub.org/"):
            with pytest.raises(FetchError, match="not known"):
                fetcher.fetch(url)
    assert web.connected == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "only http"),
        ("ftp://example.org/", "only http"),
        ("http://user:pass@example.org/", "password"),
        ("http://example.org:22/", "port 22"),
        ("http://example.org:99999/", "not an address"),
        ("http://[::1/", "not an address"),
    ],
)
def test_an_address_of_another_kind_is_refused(url: str, reason: str, web: Web) -> None:
    with web.fetcher() as fetcher, pytest.raises(FetchError, match=reason):
        fetcher.fetch(url)


def test_every_redirect_is_checked_like_the_first_address(web: Web) -> None:
    web.page("http://example.org/in", "", 302, Location="/there")
    web.page("http://example.org/there", "moved")
    web.page("http://example.org/out", "", 302, Location="http://other.org/x")
    web.page("http://example.org/home", "", 301, Location="http://localhost/x")
    web.page("http://example.org/file", "", 307, Location="file:///etc/passwd")
    web.page("http://example.org/round", "", 302, Location="/round")
    web.names["localhost"] = ["127.0.0.1"]
    with web.fetcher("example.org", "localhost") as fetcher:
        assert fetcher.fetch("http://example.org/in").source == "http://example.org/there"
        for path, reason in [
            ("out", "P3_WEB_HOSTS"),
            ("home", "not a public address"),
            ("file", "only http"),
            ("round", "more than 5 times"),
        ]:
            with pytest.raises(FetchError, match=reason):
                fetcher.fetch(f"http://example.org/{path}")


def test_robots_txt_is_obeyed_and_asked_once(web: Web) -> None:
    web.page(
        "http://example.org/robots.txt", "User-agent: *\nDisallow: /*.pdf$\nDisallow: /private"
    )
    web.page("http://example.org/a", "a")
    web.page("http://example.org/private/b", "b")
    web.page("http://example.org/to-private", "", 302, Location="/private/b")
    with web.fetcher() as fetcher:
        assert fetcher.fetch("http://example.org/a").content == b"a"
        for path in ("private/b", "x.pdf", "to-private"):
            with pytest.raises(FetchError, match=r"robots.txt asks"):
                fetcher.fetch(f"http://example.org/{path}")
    assert web.asked.count("example.org/robots.txt") == 1


def test_a_host_that_cannot_say_what_may_be_read_is_not_read(web: Web) -> None:
    web.page("http://example.org/robots.txt", "", 503)
    web.page("http://example.org/a", "a")
    with web.fetcher() as fetcher, pytest.raises(FetchError, match="answered 503"):
        fetcher.fetch("http://example.org/a")
    assert "example.org/a" not in web.asked


def test_a_body_is_limited_packed_or_not(web: Web) -> None:
    web.page("http://example.org/large", b"x" * 2_000)
    web.page("http://example.org/bomb", gzip.compress(b"x" * 5_000_000), content_encoding="gzip")
    web.page("http://example.org/small", gzip.compress(b"small"), content_encoding="gzip")
    web.page("http://example.org/odd", b"x", content_encoding="br")
    web.page("http://example.org/broken", b"no gzip", content_encoding="gzip")
    with web.fetcher(max_document_bytes=1_000) as fetcher:
        assert fetcher.fetch("http://example.org/small").content == b"small"
        for path in ("large", "bomb"):
            with pytest.raises(DocumentTooLargeError):
                fetcher.fetch(f"http://example.org/{path}")
        with pytest.raises(FetchError, match="packs its answer as br"):
            fetcher.fetch("http://example.org/odd")
        with pytest.raises(FetchError, match="cannot be unpacked"):
            fetcher.fetch("http://example.org/broken")


def test_a_page_that_is_not_there_says_what_the_server_said(web: Web) -> None:
    with web.fetcher() as fetcher, pytest.raises(FetchError, match="answered 404"):
        fetcher.fetch("http://example.org/none")


def test_a_server_that_speaks_something_else_is_an_error(web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        web.port = listening.getsockname()[1]

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with web.fetcher() as fetcher, pytest.raises(FetchError, match="cannot be had"):
            fetcher.fetch("http://example.org/")
        thread.join()


def test_a_server_that_drips_bytes_is_left_when_the_time_is_over(web: Web) -> None:
    """The time is over when the fetch's clock says so, however often something comes."""
    fetcher = web.fetcher()
    web.page("http://example.org/a", "a")
    fetcher.fetch("http://example.org/a")
    fetcher._deadline = 0.0
    with pytest.raises(FetchError, match="longer than it may"):
        fetcher._asked("http://example.org/a", 100)
    fetcher.close()


SITEMAP = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{}</urlset>"""


def sitemap(*urls: str) -> str:
    return SITEMAP.format("".join(f"<url><loc> {url} </loc></url>" for url in urls))


def test_a_sitemap_names_pages_and_an_index_names_sitemaps(web: Web) -> None:
    inner = "".join(
        f"<sitemap><loc>http://example.org/{name}</loc></sitemap>"
        for name in ("a.xml.gz", "gone.xml")
    )
    web.page("http://example.org/sitemap.xml", f"<sitemapindex>{inner}</sitemapindex>")
    pages = sitemap("http://example.org/1", "http://example.org/2", "http://example.org/1")
    web.page("http://example.org/a.xml.gz", gzip.compress(pages.encode()))
    with web.fetcher() as fetcher:
        found = list(pages_of("http://example.org/sitemap.xml", fetcher, max_pages=10))
        few = list(pages_of("http://example.org/sitemap.xml", fetcher, max_pages=1))
    assert found[:2] == ["http://example.org/1", "http://example.org/2"]
    assert "answered 404" in str(found[2])
    assert "P3_MAX_PAGES" in str(few[1])


def test_a_sitemap_that_is_none_is_an_error(web: Web) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><urlset><url><loc>&a;</loc></url></urlset>'
    web.page("http://example.org/sitemap.xml", "<html>")
    web.page("http://example.org/sitemap-2.xml", bomb)
    with web.fetcher() as fetcher:
        for name in ("sitemap.xml", "sitemap-2.xml"):
            with pytest.raises(FetchError, match="no sitemap"):
                list(pages_of(f"http://example.org/{name}", fetcher, max_pages=10))


def test_a_sitemap_is_known_by_its_name() -> None:
    assert is_sitemap("https://example.org/sitemap-1.xml.gz?x=1")
    assert not is_sitemap("https://example.org/about-sitemaps")
