"""Stock Strawberry behind FastAPI, as its documentation has it, on one uvicorn worker with uvloop and httptools."""

from __future__ import annotations

import socket
from typing import Any

import strawberry
import uvicorn
from fastapi import FastAPI
from strawberry.fastapi import GraphQLRouter


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "world"


def serve(schema: strawberry.Schema, **options: Any) -> None:
    """Answer on a free port until told to stop. The options are the router's."""
    app = FastAPI()
    app.include_router(GraphQLRouter(schema, **options), prefix="/graphql")
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False))
    print(f"ready http://127.0.0.1:{listening.getsockname()[1]}/graphql", flush=True)
    server.run([listening])


if __name__ == "__main__":
    serve(strawberry.Schema(Query))
