# syntax=docker/dockerfile:1
# Two stages: the first installs the locked packages, the second holds only them and Python.
# Runs as a user without rights, on a read-only root: all state is in /var/lib/querywarden (`data_dir` in gateway.yaml).
FROM python:3.13-slim AS build
WORKDIR /src
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/opt/querywarden UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir "uv>=0.13,<0.14"
# dependencies first: they change less often than the program, so that this layer is kept
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --no-install-project
COPY README.md LICENSE ./
COPY gateway gateway
COPY bundles bundles
RUN uv sync --locked --no-dev --no-editable

FROM python:3.13-slim
LABEL org.opencontainers.image.title="querywarden" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 querywarden \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin querywarden \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/querywarden
COPY --from=build /opt/querywarden /opt/querywarden
ENV PATH=/opt/querywarden/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/querywarden
VOLUME /var/lib/querywarden
EXPOSE 6432
STOPSIGNAL SIGTERM
ENTRYPOINT ["querywarden"]
CMD ["serve", "-c", "/etc/querywarden/gateway.yaml"]
