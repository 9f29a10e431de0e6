"""The tables of the OAuth server. Every credential stands in them as its SHA-256 alone."""

import hashlib

from pydantic import SecretStr
from sqlalchemy import Column, Float, String, Table, Text, UniqueConstraint

from runtime.database import metadata

client_table = Table(
    "oauth_client",
    metadata,
    Column("client_id", String(64), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("owner_account_id", String(128), nullable=False, index=True),
    Column("grant_kind", String(16), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("callback_urls", Text, nullable=False),  # one a line; none holds a line break
    Column("distribution", String(16), nullable=False),
    Column("vendor_name", String(128), nullable=False),
    Column("privacy_policy_url", Text, nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("created_at_s", Float, nullable=False),
)

grant_table = Table(
    "oauth_grant",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("client_id", String(64), nullable=False),
    Column("account_id", String(128), nullable=False, index=True),
    Column("anchor", String(64), nullable=False),  # the site of a resource-level grant, else empty
    Column("scopes", Text, nullable=False),
    Column("created_at_s", Float, nullable=False),
    Column("consented_at_s", Float, nullable=False),
    UniqueConstraint("client_id", "account_id", "anchor"),
)

grant_site_table = Table(
    "oauth_grant_site",
    metadata,
    Column("grant_id", String(64), primary_key=True),
    Column("cloud_id", String(64), primary_key=True),
)

code_table = Table(
    "oauth_code",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("client_id", String(64), nullable=False),
    Column("grant_id", String(64), nullable=False, index=True),
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", String(64)),
    Column("scopes", Text, nullable=False),
    Column("expires_at_s", Float, nullable=False),
    Column("family_id", String(64)),  # what its use led to; a code with one is used up
)

family_table = Table(
    "oauth_family",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("grant_id", String(64), nullable=False, index=True),
    Column("scopes", Text, nullable=False),
    Column("started_at_s", Float, nullable=False),
)

refresh_table = Table(
    "oauth_refresh_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("family_id", String(64), nullable=False, index=True),
    Column("issued_at_s", Float, nullable=False),
    Column("used_at_s", Float),
)

access_table = Table(
    "oauth_access_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("family_id", String(64), nullable=False, index=True),
    Column("scopes", Text, nullable=False),
    Column("expires_at_s", Float, nullable=False),
)

policy_table = Table(
    "oauth_policy",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", String(64), nullable=False),
)


def digest(secret: SecretStr) -> str:
    """Return what stands in the database for a secret; any text will do, however broken."""
    return hashlib.sha256(secret.get_secret_value().encode(errors="surrogatepass")).hexdigest()


def joined_scopes(scopes: frozenset[str]) -> str:
    """Return scopes as they are stored."""
    return " ".join(sorted(scopes))


def split_scopes(text: str) -> frozenset[str]:
    """Return stored scopes."""
    return frozenset(text.split())
