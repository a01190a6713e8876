"""The processes: settings, wiring, the command line, the ASGI application and the worker."""
