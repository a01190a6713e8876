"""What processes share for a short time: `memory.py` and `redis.py` implement `domain.caching.Cache`."""
