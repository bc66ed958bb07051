"""Proxies that this server does not know: it cannot tell their visitors from one another, and says so."""

import logging

from starlette.requests import Request

from t2v.page.door.gates import Gate

logger = logging.getLogger(__name__)

MOST_TOLD = 10  # anybody can send such headers
NOT_TRUSTED = (
    "%s sends requests for others (X-Forwarded-For) and is not trusted to, so all its visitors count as one; "
    "if it is your proxy, start the app with FORWARDED_ALLOW_IPS=%s in the environment."
)


def told_of_proxies() -> Gate:
    """Lets all pass; the log says once of each address that it sends for others and is not trusted to.

    Uvicorn trusts this machine, and what FORWARDED_ALLOW_IPS names: then the visitor's own address is the
    client's.
    """
    told: set[str] = set()

    async def gate(request: Request) -> None:
        named = request.headers.getlist("x-forwarded-for")
        if not named or request.client is None:
            return
        address = request.client.host
        is_one_of_them = any(_is_of(address, one.strip()) for line in named for one in line.split(","))
        if not is_one_of_them and address not in told and len(told) < MOST_TOLD:
            told.add(address)
            logger.warning(NOT_TRUSTED, address, address)

    return gate


def _is_of(address: str, named: str) -> bool:
    """Whether it is the address named, which may have a port behind it."""
    return named == address or named.startswith((f"{address}:", f"[{address}]"))
