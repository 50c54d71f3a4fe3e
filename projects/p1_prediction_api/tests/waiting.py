"""Waiting for a service in this process: its models are loaded beside its start."""

import asyncio

from common.errors import ProblemError
from common.service.client import ServiceClient

PATIENCE_S = 20.0


async def until_ready(client: ServiceClient) -> None:
    """Return when the service answers predictions; raises `TimeoutError`."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await client.get("/readyz")
            except ProblemError:
                await asyncio.sleep(0.01)
            else:
                return
