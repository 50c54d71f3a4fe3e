"""Documents in, questions answered, over a real socket with the real models that read."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import httpx2
import pytest
from p3_rag_chatbot.api import create_app
from p3_rag_chatbot.settings import Settings

from .served import served

CONTRACT = """# Lease

## Notice

The notice period for tenants is three months to the end of a month.

## Deposit

The deposit equals two monthly rents and is paid back within six months.
"""
KEYS = {"ann": "ann-key", "bob": "bob-key"}


def digest(name: str) -> str:
    return hashlib.sha256(KEYS[name].encode()).hexdigest()


def ready(client: httpx2.Client) -> httpx2.Client:
    while client.get("/readyz").status_code != 200:
        sleep(0.05)
    return client


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("p3"), n_threads=1, index_guides=False, answer_threshold=0
    )
    with (
        served(create_app(settings)) as url,
        httpx2.Client(base_url=url, timeout=120) as client,
    ):
        ready(client).post("/v1/collections", json={"name": "mine"}).raise_for_status()
        client.post(
            "/v1/collections/mine/documents", files={"files": ("lease.md", CONTRACT.encode())}
        ).raise_for_status()
        yield client


def ask(client: httpx2.Client, question: str, **options: object) -> dict:
    body = {
        "model": "rag",
        "messages": [{"role": "user", "content": question}],
        "rag": {"collection": "mine", "depth": "extract"} | options,
    }
    answer = client.post("/v1/chat/completions", json=body).raise_for_status().json()
    return {"content": answer["choices"][0]["message"]["content"], "rag": answer["rag"]}


def test_a_citation_opens_the_very_passage(client: httpx2.Client) -> None:
    message = ask(client, "What is the notice period for tenants?")
    assert "**three months" in message["content"]
    citation = message["rag"]["citations"][0]
    assert citation["headings"] == ["Lease", "Notice"]
    text = client.get(f"/v1/documents/{citation['document_id']}").json()["text"]
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    part = client.get(
        f"/v1/documents/{citation['document_id']}",
        params={"start": citation["start"], "n": len(citation["quote"])},
    ).json()
    assert part["text"] == citation["quote"]


def test_search_says_why_a_passage_stands_where_it_does(client: httpx2.Client) -> None:
    found = client.post("/v1/search", json={"query": "deposit rents", "collection": "mine"}).json()
    first = found["hits"][0]
    assert first["passage"]["headings"] == ["Lease", "Deposit"]
    assert first["scores"]["bm25"] > 0
    assert first["scores"]["dense"] > 0
    passages = client.get("/v1/passages", params={"id": first["passage"]["id"]}).json()
    assert passages == [first["passage"]]


def test_uploads_tell_of_each_document_as_it_is_done(client: httpx2.Client) -> None:
    files = [
        ("files", ("good.txt", b"Bees make honey.")),
        ("files", ("broken.pdf", b"%PDF-1.7 nothing")),
    ]
    client.post("/v1/collections", json={"name": "told"}).raise_for_status()
    with client.stream(
        "POST", "/v1/collections/told/documents", files=files,
        headers={"Accept": "text/event-stream"},
    ) as answer:  # fmt: skip
        events = [
            (block.partition("\n")[0].removeprefix("event: "), json.loads(block.split("data: ")[1]))
            for block in "".join(answer.iter_text()).strip().split("\n\n")
        ]
    kinds = {one["source"]: one["kind"] for name, one in events if name == "document"}
    assert kinds == {"good.txt": "indexed", "broken.pdf": "failed"}
    name, report = events[-1]
    assert name == "report"
    assert (report["n_indexed"], len(report["failures"])) == (1, 1)


def test_a_document_is_replaced_and_removed(client: httpx2.Client) -> None:
    client.post("/v1/collections", json={"name": "short"}).raise_for_status()
    for text in (b"Cats purr.", b"Dogs bark."):
        client.post("/v1/collections/short/documents", files={"files": ("a.txt", text)})
    (document,) = client.get("/v1/collections/short/documents").json()["documents"]
    assert client.get(f"/v1/documents/{document['id']}").json()["text"].strip() == "Dogs bark."
    assert client.delete(f"/v1/documents/{document['id']}").status_code == 204
    assert client.get("/v1/collections/short/documents").json()["documents"] == []
    assert client.delete("/v1/collections/short").status_code == 204
    assert client.get("/v1/collections/short/documents").status_code == 404


def test_thumbs_are_kept_and_the_last_word_counts(client: httpx2.Client) -> None:
    for rating in ("down", "up"):
        said = {"answer_id": "a1", "rating": rating, "collection": "mine"}
        assert client.post("/v1/feedback", json=said).status_code == 204
    told = client.get("/v1/feedback").json()
    assert [(one["answer_id"], one["rating"]) for one in told] == [("a1", "up")]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/v1/search", {"query": "x", "collection": "nope"}, 404, "unknown-collection"),
        ("POST", "/v1/search", {"query": ""}, 422, "invalid-input"),
        ("POST", "/v1/collections", {"name": "Not A Name"}, 422, "invalid-input"),
        ("POST", "/v1/collections", {"name": "mine"}, 409, "collection-exists"),
        ("GET", "/v1/documents/nope", None, 404, "unknown-document"),
        ("POST", "/v1/collections/mine/pages", {"urls": ["file:///etc/passwd"]}, 400, ""),
    ],
)
def test_bad_input_is_a_problem_that_names_it(
    client: httpx2.Client, method: str, path: str, body: dict | None, status: int, kind: str
) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code == status
    assert kind in answer.json()["type"]
    assert answer.json()["detail"]


def test_a_page_of_another_site_changes_nothing(client: httpx2.Client) -> None:
    answer = client.post(
        "/v1/collections", json={"name": "evil"}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "evil" not in {one["name"] for one in client.get("/v1/collections").json()}


def test_a_private_collection_is_shown_to_its_key_alone(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, n_threads=1, index_guides=False,
        api_keys=(digest("ann"), digest("bob")), answer_threshold=0,
    )  # fmt: skip
    with served(create_app(settings)) as url:
        ann, bob = (
            ready(httpx2.Client(base_url=url, timeout=120, headers={"X-API-Key": KEYS[name]}))
            for name in ("ann", "bob")
        )
        try:
            made = {"name": "mine", "is_private": True}
            ann.post("/v1/collections", json=made).raise_for_status()
            ann.post(
                "/v1/collections/mine/documents", files={"files": ("lease.md", CONTRACT.encode())}
            ).raise_for_status()
            cited = ask(ann, "What is the notice period?")["rag"]["citations"]
            assert cited[0]["source"] == "lease.md"
            assert bob.get("/v1/collections").json() == []
            search = {"query": "notice", "collection": "mine"}
            assert bob.post("/v1/search", json=search).status_code == 404
            body = {
                "model": "rag", "messages": [{"role": "user", "content": "notice?"}],
                "rag": {"collection": "mine"}, "key_digest": digest("ann"),
            }  # fmt: skip
            assert bob.post("/v1/chat/completions", json=body).status_code == 404
        finally:
            ann.close()
            bob.close()
