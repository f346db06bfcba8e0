# One image for the web process, the poller and every command.
# A tag may be moved to other content; docs/operating.md, "Images", says how to name the base by its digest.

ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
RUN python -m venv /venv
COPY requirements.txt /
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /requirements.txt
COPY . /app
WORKDIR /app
# These keys are good for nothing but this step and are not kept.
RUN STATIC_ROOT=/app/staticfiles POLLER_DATA_DIR=/tmp SECRET_KEY=build \
    POLLER_ENCRYPTION_KEY=b25seS1mb3ItYnVpbGRpbmctb25seS1mb3ItYnVpbGQ= \
    /venv/bin/python manage.py collectstatic --noinput \
    && /venv/bin/python -m compileall -q /app

FROM ${PYTHON_IMAGE}
RUN useradd --uid 10001 --no-create-home --home-dir /data poller && install -d -o poller /data
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    STATIC_ROOT=/app/staticfiles \
    POLLER_DATA_DIR=/data
WORKDIR /app
USER poller
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz?for=web', timeout=4)"]
# Exec form: the process is number 1 and gets SIGTERM itself.
CMD ["gunicorn", "odoopoller.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", \
     "--worker-tmp-dir", "/dev/shm", "--graceful-timeout", "25", "--no-control-socket"]
