#!/bin/bash
# Run once by InfluxDB's image after its setup: InfluxQL finds the bucket as database "chargewatch", and Grafana may read it.
set -euo pipefail
influx v1 dbrp create --db chargewatch --rp autogen --default --bucket-id "$DOCKER_INFLUXDB_INIT_BUCKET_ID"
influx v1 auth create --username grafana --password "$(cat /run/secrets/influx_reader_password)" \
    --read-bucket "$DOCKER_INFLUXDB_INIT_BUCKET_ID" >/dev/null
echo "InfluxQL reads bucket $DOCKER_INFLUXDB_INIT_BUCKET as database chargewatch"
