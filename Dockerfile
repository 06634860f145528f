# The service alone: it needs a MongoDB (STUFF_MONGODB_URI). See compose.yaml for both together.

ARG BASE_IMAGE=python:3.14-slim

FROM ${BASE_IMAGE} AS build
# For networks with a certificate authority of their own.
ARG PIP_CERT
RUN python3 -m venv /opt/stuff
COPY requirements/image.txt /tmp/
RUN /opt/stuff/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: \
        -r /tmp/image.txt \
    && /opt/stuff/bin/pip check
COPY service /opt/stuff/app/service
RUN /opt/stuff/bin/python -m compileall -q /opt/stuff/app

FROM ${BASE_IMAGE}
RUN groupadd --gid 10001 stuff \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin stuff
COPY --from=build /opt/stuff /opt/stuff
ENV PATH=/opt/stuff/bin:$PATH PYTHONUNBUFFERED=1 STUFF_HOST=0.0.0.0 STUFF_PORT=8000
WORKDIR /opt/stuff/app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as http; http.urlopen(f'http://127.0.0.1:{os.environ[\"STUFF_PORT\"]}/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "service"]
CMD ["serve"]
