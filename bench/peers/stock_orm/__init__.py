"""What of Pacemark's schema the workloads ask, on stock Strawberry over SQLAlchemy's ORM, as its own users write it.

A session a request, which FastAPI opens and closes; models that become types; aiodataloader's loaders, which load each level
in one statement: lateral joins, which go through the indexes, for the first rows of many parents.
"""
