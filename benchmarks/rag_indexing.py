"""How fast folders become searchable, beside LangChain with sentence-transformers and FAISS.

    ROADMAP_DATASETS=FOLDER uv run --group dev python benchmarks/rag_indexing.py --peer PYTHON

PYTHON is the interpreter of an environment that has langchain-community, langchain-text-splitters,
langchain-huggingface, sentence-transformers, faiss-cpu, beautifulsoup4 and lxml. Two folders are
made: `files`, the abstracts of CACM, one a file, in turns as text, Markdown and HTML; `articles`,
those of two SQuAD files and the guides of this repository, as Markdown. Ours is the work of
`p3-rag-chatbot index`, its reading process and the search index included. The peer's is what its
documentation shows: a DirectoryLoader for each kind (TextLoader, BSHTMLLoader), a
RecursiveCharacterTextSplitter of 1,000 characters without overlap, which makes about as many
chunks, HuggingFaceEmbeddings over the same weights, `FAISS.from_documents`, `save_local`. Neither's
time holds imports or the loading of the model. Rounds alternate, each in a process of its own,
and all of them on the same cores. What was indexed is then asked questions whose documents are
known. Prints JSON and Markdown; exit code 1 where a median ratio of the clock is below 2.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

from p3_rag_chatbot.contracts import SearchRequest
from p3_rag_chatbot.embedding.embedder import OnnxEmbedder
from p3_rag_chatbot.embedding.minilm import find_minilm
from p3_rag_chatbot.evaluating.question_sets import QuestionSet, read_beir, read_squad
from p3_rag_chatbot.guide_files import guide_names
from p3_rag_chatbot.index_command import carry_out_index
from p3_rag_chatbot.library.library import open_library
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings

OURS = "import rag_indexing, sys; rag_indexing.index(sys.argv[1])"
PEER = """
import json, sys, time
import faiss, torch
from langchain_community.document_loaders import BSHTMLLoader, DirectoryLoader, TextLoader
from langchain_community.vectorstores import FAISS
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter
job = json.load(open(sys.argv[1]))
torch.set_num_threads(job["cores"])
faiss.omp_set_num_threads(job["cores"])
embeddings = HuggingFaceEmbeddings(model_name=job["weights"], model_kwargs={"device": "cpu"})
began, cpu = time.perf_counter(), time.process_time()
documents = []
for pattern, loader in (("txt", TextLoader), ("md", TextLoader), ("html", BSHTMLLoader)):
    documents += DirectoryLoader(
        job["folder"], glob=f"**/*.{pattern}", loader_cls=loader,
        loader_kwargs={"open_encoding" if loader is BSHTMLLoader else "encoding": "utf-8"},
    ).load()
splitter = RecursiveCharacterTextSplitter(chunk_size=1_000, chunk_overlap=0)
chunks = splitter.split_documents(documents)
store = FAISS.from_documents(chunks, embeddings)
store.save_local(job["folder"] + ".faiss")
took, cpu = time.perf_counter() - began, time.process_time() - cpu
found = [
    [one.metadata["source"] for one in store.similarity_search(question, k=10)]
    for question in job["questions"]
]
print(json.dumps({
    "seconds": took, "cpu_seconds": cpu, "n_documents": len(documents), "n_chunks": len(chunks),
    "found": found,
}))
"""
FILES, ARTICLES = "retrieval/cacm", ("qa/squad2_dev_part.json", "qa/squad11_dev_rest.json")
N_QUESTIONS = 50
LEAST_RATIO = 2.0
PAUSE_S = 0.05


@dataclass(frozen=True)
class Corpus:
    """A folder, and questions with the names of the files that answer them."""

    folder: Path
    questions: dict[str, frozenset[str]]


@dataclass(frozen=True)
class Took:
    """What indexing a folder cost, and what came of it."""

    seconds: float
    cpu_seconds: float
    n_documents: int
    n_chunks: int
    peak_mib: float
    share_found: float
    """Of the questions, those with a right file among the first ten passages."""


# ------------------------------------------------------------------------------------ the corpora
def as_files(questions: QuestionSet, folder: Path) -> Corpus:
    """Write each document into a file of its own, of three kinds in turns."""
    folder.mkdir()
    names: dict[str, str] = {}
    for number, (source, text) in enumerate(questions.documents.items()):
        title = questions.titles[source]
        page = (
            f"<html><head><title>{escape(title)}</title></head>"
            f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p></body></html>\n"
        )
        kind, written = (
            ("txt", f"{title}\n\n{text}\n"), ("md", f"# {title}\n\n{text}\n"), ("html", page)
        )[number % 3]  # fmt: skip
        names[source] = f"{source}.{kind}"
        (folder / names[source]).write_text(written, encoding="utf-8")
    right = {
        one.question: frozenset(names[source] for source in one.relevant if source in names)
        for one in questions.sample(N_QUESTIONS).questions
    }
    return Corpus(folder, {asked: files for asked, files in right.items() if files})


def as_articles(sets: Sequence[QuestionSet], folder: Path) -> Corpus:
    """Write paragraphs that share a title into one file, and the guides beside them."""
    folder.mkdir()
    paragraphs: dict[str, list[str]] = defaultdict(list)
    questions: dict[str, frozenset[str]] = {}
    for one in sets:
        for source, text in one.documents.items():
            paragraphs[one.titles[source]].append(text)
        answerable = tuple(asked for asked in one.questions if asked.is_answerable)
        for asked in QuestionSet(one.name, answerable).sample(N_QUESTIONS // len(sets)).questions:
            titles = {one.titles[source] for source in asked.relevant}
            questions[asked.question] = frozenset(f"{title}.md" for title in titles)
    for title, texts in paragraphs.items():
        body = "\n\n".join([f"# {title}", *texts])
        (folder / f"{title}.md").write_text(body, encoding="utf-8")
    root = Path(__file__).resolve().parents[1]
    for name in guide_names(root):
        (folder / name.replace("/", "-")).write_bytes((root / name).read_bytes())
    return Corpus(folder, questions)


# ------------------------------------------------------------------------------------------- ours
def index(job_file: str) -> None:
    """Index a folder as the command does, search it, and print what it cost as JSON."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    name = f"bench-{job['round']}"
    settings = Settings(data_dir=Path(job["data_dir"]), n_threads=job["cores"])
    embedder = OnnxEmbedder.of(settings)
    with open_library(settings) as library, redirect_stdout(sys.stderr):
        began, cpu = time.perf_counter(), cpu_seconds()
        code = carry_out_index(
            [job["folder"]], collection=name, is_forced=False, library=library, embedder=embedder,
            settings=settings,
        )  # fmt: skip
        searcher = Searcher(settings, library, embedder)
        searcher.warm(name)
        took, cpu = time.perf_counter() - began, cpu_seconds() - cpu
        requests = [
            SearchRequest(query=one, collection=name, k=10, rerank=False)
            for one in job["questions"]
        ]
        found = [[hit.passage.source for hit in searcher.search(one).hits] for one in requests]
        kept = library.collection(name)
    if code:
        sys.exit(f"{job['folder']} was not read whole")
    print(json.dumps({
        "seconds": took, "cpu_seconds": cpu, "n_documents": kept.n_documents,
        "n_chunks": kept.n_chunks, "found": found,
    }))  # fmt: skip


def cpu_seconds() -> float:
    """Return the processor time of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


# -------------------------------------------------------------------------------------- measuring
def measured(command: Sequence[str], corpus: Corpus, job: dict[str, Any], work: Path) -> Took:
    """Index a corpus in a process of its own; its memory is that of all its processes together."""
    job_file = work / "job.json"
    asked = {"folder": str(corpus.folder), "questions": list(corpus.questions)}
    job_file.write_text(json.dumps(job | asked), encoding="utf-8")
    environment = os.environ | {"OMP_NUM_THREADS": str(job["cores"]), "HF_HUB_OFFLINE": "1"}
    with (work / "answer.json").open("w+") as answer:
        process = subprocess.Popen(
            [*command, str(job_file)], stdout=answer, env=environment, cwd=Path(__file__).parent
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, resident_mib(process.pid))
            time.sleep(PAUSE_S)
        if process.returncode:
            sys.exit(f"{command[0]} ended with {process.returncode}")
        answer.seek(0)
        said = json.load(answer)
    right = zip(said.pop("found"), corpus.questions.values(), strict=True)
    hits = [not names.isdisjoint(Path(one).name for one in found) for found, names in right]
    return Took(**said, peak_mib=peak, share_found=sum(hits) / len(hits))


def resident_mib(process: int) -> float:
    """Return the memory that a process and those below it hold.

    One that is just being started still has its parent's memory, and its command line.
    """
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
        tasks = Path(f"/proc/{process}/task").glob("*/children")
        below = [one for task in tasks for one in task.read_text(encoding="ascii").split()]
        own = Path(f"/proc/{process}/cmdline").read_bytes()
        others = [int(one) for one in below if Path(f"/proc/{one}/cmdline").read_bytes() != own]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return pages * resource.getpagesize() / 2**20 + sum(map(resident_mib, others))


def main() -> None:
    """Make the folders, index them in turns, print, and end with 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", required=True, help="interpreter that has LangChain")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2, help="that both are kept to")
    given = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.cores])
    root = Path(os.environ["ROADMAP_DATASETS"])
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        corpora = [
            as_files(read_beir(root / FILES), work / "files"),
            as_articles([read_squad(root / name) for name in ARTICLES], work / "articles"),
        ]
        OnnxEmbedder.load(work / "data").close()  # its graph is built now
        job = {"data_dir": str(work / "data"), "cores": given.cores,
               "weights": str(find_minilm(work).tensors.parent)}  # fmt: skip
        commands = {
            "ours": [sys.executable, "-c", OURS],
            "peer": [str(Path(given.peer).absolute()), "-c", PEER],
        }
        found: dict[str, dict[str, list[Took]]] = {}
        for corpus in corpora:
            kept = found[corpus.folder.name] = defaultdict(list)
            for number in range(given.rounds):
                one = job | {"round": f"{corpus.folder.name}-{number}"}
                for kind, command in commands.items():
                    kept[kind].append(measured(command, corpus, one, work))
    report(given, found)


def report(given: argparse.Namespace, found: dict[str, dict[str, list[Took]]]) -> None:
    """Print what was measured; end with 1 when the target is missed."""
    print(json.dumps({
        "cores": given.cores,
        "rounds": {
            name: {kind: [asdict(one) for one in took] for kind, took in kinds.items()}
            for name, kinds in found.items()
        },
    }, indent=1))  # fmt: skip
    names = ("folder", "by", "documents", "chunks", "documents/s", "chunks/s", "× by clock",
             "× by processor time", "peak MiB", "found in 10")  # fmt: skip
    print("\n| " + " | ".join(names) + " |\n| --- | --- |" + " ---: |" * (len(names) - 2))
    ratios = []
    for name, kinds in found.items():
        for kind, rounds in kinds.items():
            clock = _times(kinds["peer"], rounds, lambda one: one.seconds)
            processor = _times(kinds["peer"], rounds, lambda one: one.cpu_seconds)
            seconds, last = median(one.seconds for one in rounds), rounds[-1]
            print(
                f"| {name} | {'ours' if kind == 'ours' else 'LangChain'} | {last.n_documents:,} | "
                f"{last.n_chunks:,} | {last.n_documents / seconds:.1f} | "
                f"{last.n_chunks / seconds:.1f} | {clock:.2f} | {processor:.2f} | "
                f"{max(one.peak_mib for one in rounds):.0f} | {last.share_found:.0%} |"
            )
        ratios.append(_times(kinds["peer"], kinds["ours"], lambda one: one.seconds))
    sys.exit(0 if min(ratios) >= LEAST_RATIO else 1)


def _times(peer: Sequence[Took], rounds: Sequence[Took], cost: Callable[[Took], float]) -> float:
    return median(cost(a) / cost(b) for a, b in zip(peer, rounds, strict=True))


if __name__ == "__main__":
    main()
