# One image for the platform and the simulator. Everything that is installed is pinned by constraints.txt.
FROM python:3.11.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY chargenet chargenet
COPY collector collector
COPY alerts alerts
COPY dashboards dashboards
COPY firmware_orchestrator firmware_orchestrator
COPY billing_reports billing_reports
COPY simulator simulator
COPY chargewatch chargewatch
# Nothing installs anything into the image later, and the tests of libraries are not run in it: 100 MB less.
RUN python -m venv /opt/chargewatch \
 && /opt/chargewatch/bin/pip install --constraint constraints.txt . \
 && /opt/chargewatch/bin/pip check \
 && find /opt/chargewatch/lib -depth -type d -name tests -exec rm -rf {} + \
 && /opt/chargewatch/bin/pip uninstall --yes setuptools pip

FROM python:3.11.13-slim-bookworm
LABEL org.opencontainers.image.title="chargewatch" org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 chargewatch \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin chargewatch \
 && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/chargewatch /opt/chargewatch
COPY docs/runbooks /opt/chargewatch/share/chargewatch/runbooks
ENV PATH=/opt/chargewatch/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=/tmp \
    CHARGEWATCH_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 9000 8080
CMD ["chargewatch", "up"]
