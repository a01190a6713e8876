"""How what units of work said reaches whoever listens."""
