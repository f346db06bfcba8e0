"""What ships beside the code: Compose, systemd, Kubernetes. They name things that exist and stop in time."""

import configparser
import re
import shutil
import subprocess

import pytest
import yaml

from sync.runner.supervisor import LAST_SECONDS, STOP_SECONDS
from tests.conftest import ROOT
from tests.odoopoller.test_settings import names_read

DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = [ROOT / "compose.yaml", DEPLOY / "compose.pollers.yaml"]
KUBERNETES = DEPLOY / "kubernetes" / "odoopoller.yaml"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
NETWORKS = KUBERNETES.parent / "networkpolicy.yaml"
GUIDE = (ROOT / "docs" / "operating.md").read_text()
OTHERS = {"ENV_FILE", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}


def known(name):
    return name in set(names_read()) | OTHERS or name.removesuffix("_FILE") in set(names_read())


def manifests():
    return list(yaml.safe_load_all(KUBERNETES.read_text()))


def pods():
    """(kind, name, pod's spec) of everything that runs pods."""
    for each in manifests():
        if each["kind"] in ("Deployment", "Job"):
            yield each["kind"], each["metadata"]["name"], each["spec"]["template"]["spec"]


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_compose_services_restart_are_limited_and_stop_in_time(path):
    services = yaml.safe_load(path.read_text())["services"]
    for name, service in services.items():
        if name != "migrate":
            assert service["restart"] == "unless-stopped" and service["deploy"]["resources"]["limits"], name
        if service.get("image", "").startswith("odoopoller"):
            assert service["read_only"] and service["cap_drop"] == ["ALL"], name
    poller = services["poller"]
    assert int(poller["stop_grace_period"].rstrip("s")) > STOP_SECONDS + LAST_SECONDS
    assert poller["healthcheck"]["test"][-1] == "checkpoller"


def test_every_recipe_counts_its_reverse_proxy():
    web = yaml.safe_load(COMPOSE[0].read_text())["services"]["web"]
    assert web["environment"]["POLLER_PROXIES"] == "${POLLER_PROXIES:-1}"
    config = next(m for m in manifests() if m["kind"] == "ConfigMap")["data"]
    assert (config["POLLER_BEHIND_HTTPS"], config["POLLER_PROXIES"]) == ("on", "1")
    assert "\nPOLLER_BEHIND_HTTPS=on\nPOLLER_PROXIES=1\n" in (DEPLOY / "systemd" / "env.example").read_text()


def test_the_guide_has_a_reverse_proxy_that_buffers_and_limits():
    for line in ("proxy_request_buffering on;", "limit_conn clients 20;", "$proxy_add_x_forwarded_for;"):
        assert line in GUIDE
    assert "request_buffers 3MB" in GUIDE


def test_redis_has_a_password_everywhere():
    services = yaml.safe_load(COMPOSE[0].read_text())["services"]
    redis = services["redis"]
    assert "requirepass $$REDISCLI_AUTH" in redis["command"][-1] and redis["user"] == "redis"
    assert redis["environment"]["REDISCLI_AUTH"] == "${REDIS_PASSWORD:?add REDIS_PASSWORD to .env}"
    for name in ("web", "poller", "migrate"):
        assert services[name]["environment"]["REDIS_URL"].startswith("redis://:${REDIS_PASSWORD:?")
    assert 'echo "REDIS_PASSWORD=$(openssl rand -hex 24)" >> .env' in (ROOT / "README.md").read_text()
    everywhere = [*COMPOSE, *UNITS, KUBERNETES, DEPLOY / "systemd" / "env.example", ROOT / ".env.example"]
    assert not [path.name for path in everywhere if re.search(r"rediss?://[^:]", path.read_text())]


def test_pods_get_no_token_of_the_clusters_api():
    assert [pod["automountServiceAccountToken"] for _, _, pod in pods()] == [False] * 3


def test_the_example_of_a_network_policy_is_about_our_pods_and_what_they_need():
    policies = {each["metadata"]["name"]: each["spec"] for each in yaml.safe_load_all(NETWORKS.read_text())}
    templates = [m["spec"]["template"] for m in manifests() if m["kind"] in ("Deployment", "Job")]
    chosen = policies["odoopoller"]["podSelector"]["matchExpressions"][0]["values"]
    assert sorted(chosen) == sorted(each["metadata"]["labels"]["app"] for each in templates)
    assert policies["odoopoller"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policies["odoopoller"], "nothing comes in"
    ports = {port["port"] for rule in policies["odoopoller"]["egress"] for port in rule["ports"]}
    assert ports == {53, 5432, 6379, 443}
    assert policies["odoopoller-web"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 8000}]
    outside = policies["odoopoller"]["egress"][-1]["to"][0]["ipBlock"]
    assert "169.254.0.0/16" in outside["except"], "where a cloud hands out its credentials"
    callers = policies["odoopoller-redis"]["ingress"][0]["from"][0]["podSelector"]["matchExpressions"][0]
    assert sorted(callers["values"]) == sorted(chosen)


def test_the_image_checks_the_web_process_alone():
    assert "readyz?for=web" in DOCKERFILE and "USER poller" in DOCKERFILE


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_restart_stop_in_time_and_read_secrets_from_files(path):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read_string(path.read_text())
    service = dict(parser["Service"])
    assert int(service["TimeoutStopSec"]) > STOP_SECONDS + LAST_SECONDS
    assert (service["Restart"], service["KillMode"]) == ("always", "mixed")
    variables = re.findall(r"(\w+)=%d/(\w+)", service["Environment"])
    loaded = set(re.findall(r"^LoadCredential=(\w+):", path.read_text(), re.MULTILINE))
    assert variables and {credential for _, credential in variables} == loaded
    assert all(known(name) for name, _ in variables)


def test_the_units_environment_names_variables_that_exist():
    names = re.findall(r"^([A-Z_]+)=", (DEPLOY / "systemd" / "env.example").read_text(), re.MULTILINE)
    assert [name for name in names if not known(name)] == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not there")
def test_systemd_understands_the_units(tmp_path):
    for path in UNITS:
        text = re.sub(r"/opt/odoopoller/.venv/bin/\w+", "/bin/true", path.read_text())
        (tmp_path / path.name).write_text(text.replace("WorkingDirectory=/opt/odoopoller", ""))
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.glob("*.service"))], capture_output=True, text=True
    )
    assert done.stderr == ""


def test_pods_are_probed_limited_and_locked():
    assert {kind for kind, _, _ in pods()} == {"Deployment", "Job"}
    for kind, name, pod in pods():
        [container] = pod["containers"]
        assert (
            pod["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"]
        )
        if kind == "Deployment":
            assert container["livenessProbe"] and container["resources"]["limits"]["memory"], name
            assert pod["terminationGracePeriodSeconds"] > STOP_SECONDS + LAST_SECONDS


def test_every_deployment_has_a_budget_and_rolls_without_a_gap():
    deployments = {m["metadata"]["name"]: m["spec"] for m in manifests() if m["kind"] == "Deployment"}
    budgets = {m["metadata"]["name"] for m in manifests() if m["kind"] == "PodDisruptionBudget"}
    assert deployments and set(deployments) == budgets
    for spec in deployments.values():
        assert spec["replicas"] >= 2 and spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_secrets_come_from_files():
    config = next(m for m in manifests() if m["kind"] == "ConfigMap")["data"]
    assert [name for name in config if not known(name)] == []
    files = {name: path for name, path in config.items() if name.endswith("_FILE")}
    assert {"SECRET_KEY_FILE", "POLLER_ENCRYPTION_KEY_FILE", "DATABASE_URL_FILE", "REDIS_URL_FILE"} <= set(
        files
    )
    told = re.findall(r"--from-file=(\w+)", KUBERNETES.read_text())
    assert {path.rpartition("/")[2] for path in files.values()} == set(told)


def test_probes_name_a_host_that_is_allowed():
    web = next(pod for _, name, pod in pods() if name == "odoopoller-web")["containers"][0]
    for probe in ("livenessProbe", "readinessProbe"):
        assert web[probe]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "localhost"}]


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not there")
def test_kustomize_understands_the_manifests():
    folder = str(KUBERNETES.parent)
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("registry.example.com/odoopoller:0.1.0") == 3
