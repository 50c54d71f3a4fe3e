"""The command `p3-rag-chatbot`: serves without a verb."""

from typing import TYPE_CHECKING

from common.service.command import run_command, service_command

from p3_rag_chatbot.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI


def _create_app(settings: Settings) -> "FastAPI":
    from p3_rag_chatbot.api import create_app  # noqa: PLC0415 - a verb needs no server

    return create_app(settings)


app = service_command("p3-rag-chatbot", Settings, _create_app)


def main() -> None:
    """Run the command."""
    run_command(app)


if __name__ == "__main__":
    main()
