"""docker-compose.yml: read by Compose itself, its promises kept, and its commands started with the real programs."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from chargenet.settings import KEYS, load, variable
from chargenet.settings.load import CONFIG_VARIABLE
from chargewatch.cli.up import check_apart
from tests.architecture.test_cli_page import COMMANDS
from tests.architecture.test_runbooks import PAGES, snippets
from tests.support.compose import EXAMPLE, FILE, PROGRAMS, compose, example, platform_environment, services, variables
from tests.support.rules import REPOSITORY
from tests.support.servers import ChildServer, answers, free_port, in_ci, require_server

SERVICES = services()
PLATFORM = {"collector", *PROGRAMS}
OURS = PLATFORM | {"simulator"}
PUBLISHED = {"collector", "grafana"}
CALLING = {"alerts", "billing"}
"""Those that call others outside: receivers of alerts, a payment gateway."""
SCHEMA = Path("/usr/lib/python3/dist-packages/compose/config/compose_spec.json")
"""The schema of the Compose specification, as Debian's docker-compose carries it."""


def debian_compose() -> None:
    """Skip where Debian's docker-compose is not installed; fail in CI."""
    if shutil.which("docker-compose") is None or not SCHEMA.exists():
        reason = "docker-compose is not installed: `make servers` installs it"
        if in_ci():
            pytest.fail(reason)
        pytest.skip(reason)


def text(value: object) -> str:
    """As an environment has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_compose_reads_the_file(tmp_path: Path) -> None:
    """Debian's Compose resolves the file with the example's variables, with and without the demo; ours reads it as it does."""
    debian_compose()
    line = ["docker-compose", "--env-file", str(EXAMPLE), "-f", str(FILE), "config"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=100, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    resolved = yaml.safe_load(done.stdout)["services"]
    assert {name for name, each in SERVICES.items() if "profiles" not in each} <= resolved.keys()
    for name, service in resolved.items():
        assert service["image"] == SERVICES[name]["image"]
        ours = {key: text(value) for key, value in SERVICES[name].get("environment", {}).items()}
        assert service.get("environment", {}) == ours


def test_compose_asks_for_what_must_be_set(tmp_path: Path) -> None:
    """Without PUBLIC_URL there is a sentence, not a stack that sends charge points nowhere."""
    with pytest.raises(ValueError, match=r"set PUBLIC_URL in \.env"):
        compose({})


def test_the_file_fits_the_specification() -> None:
    """Nothing in it is a key that the Compose specification does not know."""
    debian_compose()
    jsonschema_rs.Draft201909Validator(json.loads(SCHEMA.read_text())).validate(compose())


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_keeps_the_rules(name: str) -> None:
    """A pinned image, a restart policy, no root, no capabilities, limits, logs that end, and a health check of what serves."""
    service = SERVICES[name]
    assert re.search(r":v?\d+\.\d+\.\d+|:\d+\.\d+-", service["image"]), service["image"]
    assert service["restart"] == "unless-stopped"
    assert int(service["user"].split(":")[0]) > 0
    assert service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"]
    limits = service["deploy"]["resources"]["limits"]
    assert limits["cpus"] and limits["memory"]
    assert service["logging"]["options"]["max-size"]
    assert "healthcheck" in service or name == "simulator"
    if name in OURS:
        assert service["read_only"] is True


def test_only_the_platform_and_the_boards_can_be_reached() -> None:
    """The other servers have no published port, and a network without a way out; boards listen on loopback unless asked."""
    assert {name for name, each in SERVICES.items() if "ports" in each} == PUBLISHED
    for name, service in SERVICES.items():
        assert "back" in service["networks"]
        assert ("edge" in service["networks"]) == (name in PUBLISHED)
        assert ("out" in service["networks"]) == (name in CALLING)
    assert compose()["networks"]["back"]["internal"] is True
    assert example()["GRAFANA_LISTEN"].startswith("127.0.0.1:")
    assert SERVICES["grafana"]["ports"] == ["127.0.0.1:3000:3000"]


def test_no_password_is_in_the_file_or_the_example() -> None:
    """Secrets are files, each used by somebody; no environment value is one."""
    document = compose()
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == document["secrets"].keys()
    assert all(each["file"] == f"./secrets/{name}" for name, each in document["secrets"].items())
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN|SECRET|_KEY", name):
                assert name.endswith("_FILE") and str(value).removeprefix("/run/secrets/") in service["secrets"], name
    assert not [name for name in example() if re.search(r"PASSWORD|TOKEN|SECRET|KEY", name)]


def test_the_example_has_each_variable_and_its_default() -> None:
    """Nothing is asked for that the example does not explain, and nothing explained that nobody asks for."""
    assert example().keys() - {"COMPOSE_PROJECT_NAME"} == variables()
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", FILE.read_text()))
    assert {name: value for name, value in example().items() if name in defaults} == defaults


def test_every_mounted_file_is_there() -> None:
    """A bind mount of a path that does not exist becomes an empty folder, and the server starts without its config."""
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (REPOSITORY / source).exists(), f"{name}: {source}"
                assert volume.endswith(":ro")
            else:
                assert source in compose()["volumes"]


SECRETS_OF = {
    "collector": {"influx_token"}, "alerts": {"alertmanager_token"}, "firmware": set[str](),
    "billing": {"influx_token", "stripe_key", "stripe_webhook_secret"},
}  # fmt: skip
"""Besides the database's, the probes' and the programs' own."""


@pytest.mark.parametrize("name", sorted(PLATFORM))
def test_a_service_has_no_secret_that_it_does_not_need(name: str) -> None:
    """Stripe's keys are where payments are, Alertmanager's token where its webhook is answered; nobody carries another's."""
    common = {"postgres_password", "probe_token", "programs_token"}
    assert set(SERVICES[name]["secrets"]) == common | SECRETS_OF[name]
    files = {str(value) for value in SERVICES[name]["environment"].values() if str(value).startswith("/run/secrets/")}
    assert files == {f"/run/secrets/{secret}" for secret in SERVICES[name]["secrets"]}


@pytest.mark.parametrize("name", sorted(PLATFORM))
def test_the_platform_understands_its_environment(name: str, tmp_path: Path) -> None:
    """Every variable of a service is a setting, together they are right, and its probes are closed to whoever has no token."""
    given = platform_environment(tmp_path, name) | {CONFIG_VARIABLE: str(REPOSITORY / "deploy" / "config" / "chargewatch.toml")}
    assert given.keys() - {CONFIG_VARIABLE} <= {variable(key) for key in KEYS}
    settings = load(None, given)
    assert settings.sql.password is not None and not settings.http.open_probes
    assert settings.collector.unknown_charge_points == "reject" or name != "collector"
    assert settings.alerts.through_alertmanager is (name == "alerts")
    assert (settings.influx.token is not None) is (name in ("collector", "billing"))
    check_apart(settings)


def test_the_processes_find_each_other(tmp_path: Path) -> None:
    """All share one picture of who is where: the names of services, the port on which each listens, and one token."""
    without = ({**platform_environment(tmp_path, name), CONFIG_VARIABLE: ""} for name in sorted(PLATFORM))
    told = [load(None, {key: value for key, value in given.items() if value}) for given in without]
    assert len({(each.sql.url, str(each.data_dir), str(each.programs)) for each in told}) == 1
    chosen = told[0].programs
    port = chosen.listen.port
    assert chosen.apart == {name: f"http://{name}:{port}" for name in PROGRAMS}
    assert chosen.collector_url == f"http://collector:{port}" and not chosen.listen.is_loopback
    for name in PROGRAMS:
        assert SERVICES[name]["command"] == ["chargewatch", "run", name]
    assert SERVICES["collector"]["command"] == ["chargewatch", "up"]
    assert len({(SERVICES[name]["image"], str(SERVICES[name]["volumes"])) for name in PLATFORM}) == 1
    assert [name for name in SERVICES if "build" in SERVICES[name]] == ["collector"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_commands_exist(name: str) -> None:
    """The command line of a service of our image is one of the product's."""
    words = SERVICES[name]["command"]
    assert words[0] == "chargewatch"
    _, command = next((path, each) for path, each in COMMANDS if path == words[1])
    with command.make_context(words[1], list(words[2:])):
        pass


@pytest.mark.parametrize("name", sorted(PLATFORM))
def test_the_health_check_asks_the_probe_of_the_platform(name: str) -> None:
    """The module exists, the port is the one it listens on, and the token is among its secrets."""
    service, key = SERVICES[name], "HTTP" if name == "collector" else "PROGRAMS"
    kind, *line = service["healthcheck"]["test"]
    assert (kind, line[:3]) == ("CMD", ["python", "-m", "chargewatch.health"])
    assert line[3].startswith("http://127.0.0.1:" + service["environment"][f"CHARGEWATCH_{key}_LISTEN"].split(":")[1])
    assert line[4].removeprefix("/run/secrets/") in service["secrets"]


def test_prometheus_reads_every_process_of_the_platform() -> None:
    """Each by the name of its service and its port, under one job; the other servers have their own."""
    config = yaml.safe_load((REPOSITORY / "dashboards/provisioning/prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"]: job["static_configs"] for job in config["scrape_configs"]}
    found = {each["labels"]["instance"]: each["targets"] for each in jobs["chargewatch"]}
    port = {"collector": 8080} | dict.fromkeys(PROGRAMS, 8081)
    assert found == {name: [f"{name}:{port[name]}"] for name in PLATFORM}


def placed(arguments: list[str], folder: Path, replaced: dict[str, str]) -> list[str]:
    """A container's arguments with its paths in `folder`."""
    made = []
    for argument in arguments:
        for old, new in replaced.items():
            argument = argument.replace(old, new)
        made.append(argument)
    return made


def test_the_command_of_prometheus_starts_the_real_one(tmp_path: Path) -> None:
    """Its flags and its config, rules included, are taken by a real Prometheus, which becomes ready."""
    program, port = require_server("prometheus"), free_port()
    config = (REPOSITORY / "dashboards/provisioning/prometheus/prometheus.yml").read_text()
    (tmp_path / "probe_token").write_text("token")
    config = config.replace("/run/secrets", str(tmp_path)).replace("/etc/prometheus/rules", str(REPOSITORY / "dashboards/rules"))
    (tmp_path / "prometheus.yml").write_text(config)
    where = {"/etc/prometheus/prometheus.yml": str(tmp_path / "prometheus.yml"), "=/prometheus": f"={tmp_path / 'data'}"}
    line = [str(program), *placed(SERVICES["prometheus"]["command"], tmp_path, where), f"--web.listen-address=127.0.0.1:{port}"]
    with ChildServer(line, folder=tmp_path, ready=answers(f"http://127.0.0.1:{port}/-/ready")) as server:
        assert "error" not in server.log.read_text().lower().replace("errors", "")


def test_the_command_of_alertmanager_starts_the_real_one(tmp_path: Path) -> None:
    """Its flags and its config are taken by a real Alertmanager, which becomes ready."""
    program, port = require_server("alertmanager"), free_port()
    config = (REPOSITORY / "dashboards/provisioning/alertmanager/alertmanager.yml").read_text()
    (tmp_path / "alertmanager_token").write_text("token")
    (tmp_path / "alertmanager.yml").write_text(config.replace("/run/secrets", str(tmp_path)))
    where = {"/etc/alertmanager": str(tmp_path), "=/alertmanager": f"={tmp_path / 'data'}"}
    line = [str(program), *placed(SERVICES["alertmanager"]["command"], tmp_path, where), f"--web.listen-address=127.0.0.1:{port}"]
    with ChildServer(line, folder=tmp_path, ready=answers(f"http://127.0.0.1:{port}/-/ready")):
        pass


def test_postgres_takes_its_arguments(tmp_path: Path) -> None:
    """initdb takes what POSTGRES_INITDB_ARGS says, and pg_isready the health check's flags."""
    tools = require_server("postgresql").resolve().parent
    shown = subprocess.run([tools / "initdb", "--help"], capture_output=True, text=True, timeout=30, check=True).stdout
    for argument in shlex.split(SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]):
        assert argument.split("=")[0] in shown, argument
    asked = subprocess.run([tools / "pg_isready", "--help"], capture_output=True, text=True, timeout=30, check=True).stdout
    for argument in SERVICES["postgres"]["healthcheck"]["test"][2:]:
        assert argument.split("=")[0] in asked, argument


def test_the_image_copies_what_is_there_and_what_is_not_ignored() -> None:
    """Every COPY of the Dockerfile has its source, and .dockerignore lets it through; every package of the product is copied."""
    file = (REPOSITORY / "Dockerfile").read_text()
    sources = [source for line in re.findall(r"^COPY (?!--from)(.+)$", file, re.MULTILINE) for source in line.split()[:-1]]
    allowed = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert allowed == set(sources)
    assert all((REPOSITORY / source).exists() for source in sources)
    packages = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")} - {"tests"}
    assert packages <= set(sources)


def test_the_image_runs_as_the_user_that_the_stack_names() -> None:
    """One uid in both, and a base image that is pinned."""
    file = (REPOSITORY / "Dockerfile").read_text()
    assert f"USER {SERVICES['collector']['user']}" in file
    assert len(set(re.findall(r"^FROM (\S+)", file, re.MULTILINE))) == 1
    assert re.search(r"^FROM python:\d+\.\d+\.\d+-slim-bookworm", file, re.MULTILINE)
    assert "--constraint constraints.txt" in file


def test_docker_commands_of_runbooks_speak_of_services_that_exist() -> None:
    """`docker compose logs NAME` of a service that is called otherwise helps nobody at night."""
    for page in PAGES:
        for line in snippets(page):
            words = shlex.split(line.partition(" | ")[0], comments=True)
            if words[:2] == ["docker", "compose"]:
                assert words[2] in {"ps", "logs", "up", "restart", "exec", "kill", "stop", "run"}, line
                options = {"sh", "amtool", "alert", "query"}
                named = {word for word in words[3:] if re.fullmatch(r"[a-z]+", word)} - options
                assert named <= SERVICES.keys(), line


def grafana(path: str) -> dict[str, Any]:
    """A provisioning file of Grafana."""
    loaded: dict[str, Any] = yaml.safe_load((REPOSITORY / "dashboards/provisioning/grafana" / path).read_text())
    return loaded


def test_grafana_finds_data_sources_and_boards() -> None:
    """Fixed uids, nothing to edit, boards where the container has them, and the servers by the names of their services."""
    sources = {each["uid"]: each for each in grafana("datasources/chargewatch.yaml")["datasources"]}
    assert {uid: each["type"] for uid, each in sources.items()} == {
        "chargewatch-prometheus": "prometheus", "chargewatch-influx": "influxdb", "chargewatch-alertmanager": "alertmanager",
    }  # fmt: skip
    for each in sources.values():
        host = re.fullmatch(r"http://([a-z]+):(\d+)", each["url"])
        assert host is not None and host[1] in SERVICES
        assert each["editable"] is False
    (provider,) = grafana("dashboards/chargewatch.yaml")["providers"]
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    folders = {target: source for source, target in mounts.items()}
    assert (REPOSITORY / folders[provider["options"]["path"]] / "chargewatch-network.json").exists()
    assert (provider["allowUiUpdates"], provider["disableDeletion"]) == (False, True)
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home.startswith(provider["options"]["path"])
    (point,) = grafana("alerting/chargewatch.yaml")["contactPoints"]
    (policy,) = grafana("alerting/chargewatch.yaml")["policies"]
    assert policy["receiver"] == point["name"]
    assert point["receivers"][0]["settings"]["url"] == sources["chargewatch-alertmanager"]["url"]


def test_grafana_gets_each_variable_that_its_files_use() -> None:
    """A ${NAME} that nobody sets would be an empty password."""
    given = {name.removesuffix("__FILE") for name in SERVICES["grafana"]["environment"]}
    for path in (REPOSITORY / "dashboards/provisioning/grafana").rglob("*.yaml"):
        assert set(re.findall(r"\$\{(\w+)\}", path.read_text())) <= given, path.name


def test_influxql_finds_the_bucket_under_the_name_that_grafana_asks() -> None:
    """The mapping that InfluxDB's image makes once is of the database in the data source, for its reader."""
    script = (REPOSITORY / "deploy/influxdb/10-read-by-influxql.sh").read_text()
    (source,) = [each for each in grafana("datasources/chargewatch.yaml")["datasources"] if each["type"] == "influxdb"]
    assert f"--db {source['jsonData']['dbName']} " in script
    assert f"--username {source['user']} " in script
    assert (
        SERVICES["influxdb"]["environment"]["DOCKER_INFLUXDB_INIT_BUCKET"]
        == SERVICES["collector"]["environment"]["CHARGEWATCH_INFLUX_BUCKET"]
    )
