# MLflow's server with the driver for PostgreSQL, from the workspace's own lock.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE}
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PROJECT_ENVIRONMENT=/app/.venv \
    UV_PYTHON=/usr/local/bin/python UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1
WORKDIR /src
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY packages packages
COPY projects projects
RUN python -m pip install --no-cache-dir --quiet uv \
 && uv sync --locked --only-group mlflow-server --no-install-workspace \
 && useradd --system --uid 10001 --home-dir /tmp app && install -d -o app /data
ENV PATH=/app/.venv/bin:$PATH HOME=/tmp MLFLOW_DISABLE_TELEMETRY=true
USER 10001
EXPOSE 5000
ENTRYPOINT ["sh", "-c", "exec mlflow server --host 0.0.0.0 --port 5000 --backend-store-uri \"$BACKEND_STORE_URI\" --artifacts-destination /data/artifacts --allowed-hosts '*'"]
