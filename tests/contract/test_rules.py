"""The rule files and the configs of Prometheus and Alertmanager, as the programs that read them see them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from alerts.kinds import KINDS
from chargewatch.rule_files import rule_files, write_rules
from dashboards.rules import RuleConfig
from tests.support.rules import REPOSITORY, RULES, TESTS, alert_names, case_test, rules
from tests.support.servers import require_server

PROVISIONING = REPOSITORY / "dashboards" / "provisioning"


def promtool(*arguments: str | Path) -> str:
    """What promtool says; fails with it where promtool does."""
    done = subprocess.run([require_server("promtool"), *arguments], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.server("promtool")
def test_promtool_finds_nothing_to_complain_about() -> None:
    """Every expression, template and name of the rule files is as promtool wants it, duplicates included."""
    said = promtool("check", "rules", "--lint=all", "--lint-fatal", *sorted(RULES.glob("*.rules.yaml")))
    assert said.count("SUCCESS") == len(rule_files())


@pytest.mark.server("promtool")
@pytest.mark.parametrize("file", sorted(path.name for path in TESTS.glob("*.test.yaml")))
def test_rules_say_what_they_should_of_seeded_facts(file: str) -> None:
    """Each file of promtool tests passes."""
    promtool("test", "rules", TESTS / file)


@pytest.mark.server("promtool")
def test_every_kind_of_case_is_told_with_what_it_means_and_is_over_by_itself(tmp_path: Path) -> None:
    """The alert of each kind carries place, certainty, action and links, waits as it should, and ends once the case is gone."""
    document = {
        "rule_files": [str(RULES / "cases.rules.yaml")],
        "evaluation_interval": "30s",
        "tests": [case_test(kind) for kind in KINDS.values()],
    }
    path = tmp_path / "cases.test.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=10_000))
    promtool("test", "rules", path)


@pytest.mark.server("promtool")
def test_pages_wait_for_nothing_and_tickets_for_a_wider_case(tmp_path: Path) -> None:
    """A page fires at the first evaluation; a ticket that is gone within its minute was never told."""

    def fires(kind: str, severity: str) -> dict[str, object]:
        series = f'chargewatch_case{{job="chargewatch",kind="{kind}",severity="{severity}",site="S",charge_point="A"}}'
        return {"series": series, "values": "1 stale"}

    document = {
        "rule_files": [str(RULES / "cases.rules.yaml")],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "30s",
                "input_series": [fires("safety_fault", "critical"), fires("offline", "warning")],
                "promql_expr_test": [
                    {
                        "expr": 'max by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": "1m",
                        "exp_samples": [{"labels": '{alertname="ConnectorSafetyFault"}', "value": 1}],
                    }
                ],
            }
        ],
    }
    path = tmp_path / "pages.test.yaml"
    path.write_text(yaml.safe_dump(document))
    promtool("test", "rules", path)


def test_every_rule_has_a_test() -> None:
    """An alert or a recorded series that no promtool test speaks of is not known to work."""
    texts = "\n".join(path.read_text() for path in TESTS.glob("*.test.yaml"))
    tested = {kind.title for kind in KINDS.values()}
    missing = [name for name in alert_names() if name not in tested and f'alertname="{name}"' not in texts]
    missing += [rule["record"] for rule in rules() if "record" in rule and rule["record"] not in texts]
    assert missing == []


@pytest.mark.server("promtool")
def test_a_network_that_lives_faster_gets_rules_that_promtool_takes(tmp_path: Path) -> None:
    """Every duration is divided by the speed, down to milliseconds; a config without a selector is valid as well."""
    write_rules(tmp_path, RuleConfig(speed=60.0, selector=""))
    promtool("check", "rules", *sorted(tmp_path.glob("*.rules.yaml")))
    text = (tmp_path / "cases.rules.yaml").read_text()
    assert "interval: 500ms" in text
    assert "for: 1s" in text
    assert "job=" not in text


@pytest.mark.server("promtool")
def test_prometheus_takes_its_config(tmp_path: Path) -> None:
    """The config is valid with the rule files and secrets where the containers have them."""
    text = (PROVISIONING / "prometheus" / "prometheus.yml").read_text()
    (tmp_path / "key").write_text("secret")
    text = text.replace("/etc/prometheus/rules", str(RULES)).replace("/run/secrets/probe_token", str(tmp_path / "key"))
    path = tmp_path / "prometheus.yml"
    path.write_text(text)
    said = promtool("check", "config", "--lint=all", "--lint-fatal", path)
    assert f"{len(rule_files())} rule files found" in said


AMTOOL = REPOSITORY / "dashboards" / "provisioning" / "alertmanager" / "alertmanager.yml"


def amtool(*arguments: str) -> str:
    """What amtool says; fails with it where amtool does."""
    require_server("alertmanager")  # the same package
    done = subprocess.run(["amtool", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.server("alertmanager")
def test_alertmanager_takes_its_config() -> None:
    """The config is valid, and every alert of ours goes to the relay."""
    assert "SUCCESS" in amtool("check-config", str(AMTOOL))
    for labels in (["severity=critical"], ["severity=warning"], ["severity=info"], ["alertname=Watchdog", "severity=info"]):
        assert amtool("config", "routes", "test", f"--config.file={AMTOOL}", *labels).strip() == "relay"


def test_alertmanager_speaks_of_alerts_that_exist() -> None:
    """A name in an inhibition that no rule has hushes nothing, and nobody would notice."""
    known = set(alert_names())
    config = yaml.safe_load(AMTOOL.read_text())
    for rule in config["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            name, _, value = matcher.partition(" ")
            if name == "alertname":
                assert set(value.split('"')[1].split("|")) <= known, matcher
