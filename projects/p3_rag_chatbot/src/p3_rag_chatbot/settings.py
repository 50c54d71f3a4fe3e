"""Settings of the document chatbot: what `common` gives every service, and its own."""

from pathlib import Path
from typing import Annotated, Literal

import common.settings
from common.settings import settings_config
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode


class Settings(common.settings.Settings):
    """Environment variables with the prefix `P3_`."""

    model_config = settings_config("P3_")

    # ---------------------------------------------------------------------- the embedded models
    embedder_weights: Path | None = Field(
        None,
        description="Folder with all-MiniLM-L6-v2 (model.safetensors, tokenizer.json).",
        json_schema_extra={"default_text": "the installed package, else the model hub"},
    )
    generator_weights: Path | None = Field(
        None,
        description="GGUF file of the embedded generator.",
        json_schema_extra={"default_text": "the installed package, else the model hub"},
    )
    generator_adapters: Path | None = Field(
        None,
        description="Folder with LoRA adapters of the generator (NAME.gguf), beside those that "
        "come along.",
        json_schema_extra={"default_text": "the folder `adapters` in the data directory"},
    )
    embedder_precision: Literal["fp32", "int8"] = Field(
        "int8", description="Number format of the embedder's products."
    )
    reader_precision: Literal["fp32", "int8"] = Field(
        "int8", description="Number format of the reader's products."
    )
    n_threads: int = Field(
        2, ge=1, le=256, description="Threads that the embedder and the reader compute with."
    )
    generator_threads: int = Field(
        1,
        ge=1,
        le=256,
        description="Threads that the embedded generator computes with. They wait for each other "
        "by spinning: more than the cores that are free makes it many times slower.",
    )
    max_chats: int = Field(
        8, ge=1, le=256, description="Chats that the embedded generator works on at once."
    )
    context_tokens: int = Field(
        2048,
        ge=256,
        description="Most tokens of one chat, prompt and answer, for the embedded generator.",
    )
    cache_tokens: int = Field(
        6144,
        ge=256,
        description="Tokens of all chats together that the embedded generator holds at once, at "
        "23 KiB of memory each.",
    )
    max_queued_chats: int = Field(
        64, ge=0, description="Most chats that wait for the generator; beyond it the answer is 503."
    )
    argument_timeout_s: float = Field(
        0.7,
        ge=0,
        description="Longest time that the generator may take to finish the arguments "
        "of a function call, in seconds; used where its adapter `tools` is there; 0: not at all.",
    )
    # ------------------------------------------------------------------- a larger model elsewhere
    chat_url: str = Field(
        "", description="OpenAI-compatible server that generates; empty: the embedded generator."
    )
    chat_model: str = Field("", description="Model that is asked for there.")
    chat_api_key: SecretStr | None = Field(None, description="Key that is sent there.")
    chat_stall_s: float = Field(
        30.0, gt=0, description="Longest silence of that server in an answer, in seconds."
    )
    # -------------------------------------------------------------------------------- collections
    collection: str = Field("guides", description="Collection that is asked when none is named.")
    index_guides: bool = Field(
        True, description="Index this repository's guides at the start, where they have changed."
    )
    vector_store: Literal["faiss", "pgvector", "qdrant", "pinecone"] = Field(
        "faiss", description="Vector store: where vectors are kept and searched."
    )
    vector_store_url: SecretStr | None = Field(
        None,
        description="Its address: a PostgreSQL URL, a Qdrant URL or folder, a Pinecone index host.",
    )
    vector_store_key: SecretStr | None = Field(None, description="Its API key, where it has one.")
    chunk_tokens: int = Field(
        200, ge=16, le=510, description="Most tokens of a chunk, by the embedder's tokenizer."
    )
    chunk_overlap_tokens: int = Field(
        0, ge=0, le=255, description="Tokens that a chunk repeats of the one before it."
    )
    exact_up_to: int = Field(
        50_000, ge=0, description="Chunks of a collection up to which its search is exact."
    )
    # ----------------------------------------------------------------------------------- ingestion
    max_document_bytes: int = Field(
        64 * 1024 * 1024, ge=1, description="Largest document that is read, in bytes."
    )
    max_archive_bytes: int = Field(
        512 * 1024 * 1024, ge=1, description="Most bytes that an archive may unpack to."
    )
    max_archive_files: int = Field(10_000, ge=1, description="Most files in an archive.")
    max_document_characters: int = Field(
        5_000_000, ge=1, description="Most characters of text in a document."
    )
    load_timeout_s: float = Field(
        120.0, gt=0, description="Longest time to read one document, in seconds."
    )
    index_timeout_s: float = Field(
        600.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest time until documents that came over HTTP are indexed, in seconds; "
        "an event stream has no limit.",
    )
    load_memory_bytes: int = Field(
        3 * 1024**3, ge=256 * 1024**2, description="Most memory to read one document, in bytes."
    )
    web_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts whose pages may be indexed, separated by commas; `.example.org` "
        "takes its subdomains too; empty: none.",
    )
    max_pages: int = Field(200, ge=1, description="Most pages that a sitemap brings in.")
    # ----------------------------------------------------------------------------------- answering
    depth: Literal["extract", "generate", "free"] = Field(
        "extract", description="How a question is answered when it does not say."
    )
    n_passages: int = Field(5, ge=1, le=50, description="Passages that an answer may draw on.")
    n_candidates: int = Field(
        40, ge=1, le=1000, description="Passages that are fused and reranked to find them."
    )
    reranker: str = Field(
        "none",
        min_length=1,
        description="What orders the candidates anew: `none`, `reader`, or the folder or file of a "
        "cross-encoder in ONNX (model.onnx, tokenizer.json).",
    )
    max_question_characters: int = Field(
        8_000, ge=1, description="Longest question that is taken, in characters."
    )
    max_new_tokens: int = Field(
        512, ge=1, description="Most tokens of an answer that does not say how many it wants."
    )
    answer_threshold: float = Field(
        0.25, ge=0, le=1, description="Probability from which an extracted answer is given."
    )
    support_threshold: float = Field(
        0.5, ge=0, le=1, description="Score from which a sentence counts as supported."
    )
    withhold_unsupported: bool = Field(
        False, description="Leave unsupported sentences out of generated answers, not only mark."
    )
    seed: int = Field(0, ge=0, description="Seed of sampling where a request has none.")

    @field_validator("web_hosts", mode="before")
    @classmethod
    def _hosts_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(host.strip().lower() for host in value.split(",") if host.strip())
        return value
