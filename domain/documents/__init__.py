"""Documents: GraphQL operations that a workspace's API clients registered, and how they are used."""

from .actions import change_client, create_client, delete_client, prune, push
from .model import (
    AliasRow,
    ApiClient,
    ClientDocumentRow,
    ClientRow,
    Document,
    DocumentAlias,
    DocumentRow,
    DocumentUsage,
    Pushed,
    UsageRow,
)
from .queries import (
    CLIENTS,
    DOCUMENTS,
    OF_CLIENT,
    aliases_by_documents,
    by_ids,
    client_by_name,
    clients_by_ids,
    resolve,
    usage_by_documents,
)
from .rules import MAX_PUSHED, Checked, ClientMode, hash_of, p95
from .usage import Usage, Used, count

__all__ = [
    "CLIENTS",
    "DOCUMENTS",
    "MAX_PUSHED",
    "OF_CLIENT",
    "AliasRow",
    "ApiClient",
    "Checked",
    "ClientDocumentRow",
    "ClientMode",
    "ClientRow",
    "Document",
    "DocumentAlias",
    "DocumentRow",
    "DocumentUsage",
    "Pushed",
    "Usage",
    "UsageRow",
    "Used",
    "aliases_by_documents",
    "by_ids",
    "change_client",
    "client_by_name",
    "clients_by_ids",
    "count",
    "create_client",
    "delete_client",
    "hash_of",
    "p95",
    "prune",
    "push",
    "resolve",
    "usage_by_documents",
]
