"""The manifests in `deploy/kubernetes/` fit together, and fit the service. `make docs` checks them
against the schemas of Kubernetes."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from httpx import AsyncClient

from service.settings import Settings
from service.settings.settings import SECRETS_DIR

FOLDER = Path(__file__).parents[1] / "deploy" / "kubernetes"
MANIFESTS: dict[str, Any] = {
    manifest["kind"]: manifest
    for path in FOLDER.glob("*.yaml")
    for manifest in yaml.safe_load_all(path.read_text())
}
POD = MANIFESTS["Deployment"]["spec"]["template"]
[CONTAINER] = POD["spec"]["containers"]
ENVIRONMENT = {variable["name"]: variable["value"] for variable in CONTAINER["env"]}


async def test_each_probe_asks_for_something_that_answers(client: AsyncClient) -> None:
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = CONTAINER[kind]["httpGet"]["path"]
        assert (await client.get(path)).status_code == 200
    assert CONTAINER["livenessProbe"]["httpGet"]["path"] == "/healthz"  # not the database's fault
    assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_each_variable_is_a_setting() -> None:
    Settings(**{name.removeprefix("STUFF_").lower(): value for name, value in ENVIRONMENT.items()})
    assert POD["spec"]["enableServiceLinks"] is False


def test_requests_under_way_end_before_the_pod_is_killed() -> None:
    [_, seconds] = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    stopping = int(seconds) + int(ENVIRONMENT["STUFF_SHUTDOWN_TIMEOUT"])
    assert POD["spec"]["terminationGracePeriodSeconds"] > stopping


def test_secrets_are_where_the_service_looks_for_them() -> None:
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert mounts["settings"] == str(SECRETS_DIR)
    assert Path(ENVIRONMENT["STUFF_API_KEYS_FILE"]).parent == Path(mounts["keys"])
    assert {volume["name"] for volume in POD["spec"]["volumes"]} == set(mounts)


@pytest.mark.parametrize(
    "selector",
    [
        MANIFESTS["Deployment"]["spec"]["selector"]["matchLabels"],
        MANIFESTS["Service"]["spec"]["selector"],
        MANIFESTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        MANIFESTS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ],
)
def test_everything_is_about_the_same_pods(selector: dict[str, str]) -> None:
    assert selector.items() <= POD["metadata"]["labels"].items()


def test_the_ports_are_those_of_the_container() -> None:
    [port] = CONTAINER["ports"]
    [exposed] = MANIFESTS["Service"]["spec"]["ports"]
    [admitted] = MANIFESTS["NetworkPolicy"]["spec"]["ingress"]
    assert exposed["targetPort"] == port["name"]
    assert [each["port"] for each in admitted["ports"]] == [port["containerPort"]]
    assert port["containerPort"] == Settings.model_fields["port"].default
