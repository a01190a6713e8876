# One image for every process of Pacemark, and with `--target lighthouse` a larger one for workers that run Lighthouse.
# compose.yaml puts them together; deploy/README.md says how.

FROM python:3.13-slim-trixie AS builder
ENV UV_CACHE_DIR=/var/cache/uv \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/pacemark \
    UV_PYTHON=/usr/local/bin/python
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /source
# What we depend on changes seldom and has a layer of its own. Its versions are pinned in pyproject.toml.
COPY pyproject.toml ./
RUN --mount=type=cache,target=/var/cache/uv uv sync --no-dev --no-install-project
COPY LICENSE README.md ./
COPY app app
COPY domain domain
COPY graph graph
COPY infra infra
COPY migrations migrations
RUN --mount=type=cache,target=/var/cache/uv uv sync --no-dev --no-editable --locked

FROM python:3.13-slim-trixie AS runtime
# Debian keeps no older version of a package, so none can be pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 pacemark \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin pacemark \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY deploy/healthcheck.py /opt/healthcheck.py
COPY --from=builder /opt/pacemark /opt/pacemark
# The code was compiled where it was installed, and nothing is written beside it here.
ENV PATH=/opt/pacemark/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PACEMARK_DATA=/data \
    PACEMARK_ENV=production \
    PACEMARK_HOST=0.0.0.0
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="Pacemark" \
      org.opencontainers.image.description="Self-hosted website performance: audits, history and verdicts, spoken to through GraphQL." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
# tini hands signals on and buries what Chromium leaves behind.
ENTRYPOINT ["tini", "--", "pacemark"]
CMD ["serve"]
# `serve` answers on its port, and what is given a PACEMARK_METRICS_PORT there; whoever runs anything else switches this off.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-I", "/opt/healthcheck.py"]

FROM node:24-trixie-slim AS npm
WORKDIR /opt/lighthouse
COPY deploy/lighthouse/package.json deploy/lighthouse/package-lock.json ./
RUN --mount=type=cache,target=/var/cache/npm npm ci --cache /var/cache/npm --ignore-scripts --no-audit --no-fund

FROM runtime AS lighthouse
USER 0
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium fonts-liberation fonts-noto-color-emoji libatomic1 libstdc++6 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=npm /usr/local/bin/node /usr/local/bin/node
COPY --from=npm /opt/lighthouse /opt/lighthouse
ENV PACEMARK_CHROME=/usr/bin/chromium \
    PACEMARK_LIGHTHOUSE=/opt/lighthouse/node_modules/lighthouse \
    PACEMARK_NODE=/usr/local/bin/node
USER 10001:10001
CMD ["worker"]
HEALTHCHECK NONE

# The last one is what is built when none is named.
FROM runtime
