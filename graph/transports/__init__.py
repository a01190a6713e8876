"""How operations and their results travel: HTTP, WebSocket, server-sent events, and GraphiQL for people."""
