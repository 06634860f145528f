"""The alert rules in `deploy/` fire when they should, and not when all is well."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.patience import TIMEOUT
from tests.support.programs import find_program

RULES = Path(__file__).parents[2] / "deploy" / "alerts.yaml"
LABELS = 'instance="one:8000",job="stuff"'
LARGEST = 'stuff_round_trip_duration_seconds_bucket{kind="read",le="+Inf"}'

WELL = {
    'stuff_build_info{version="1"}': "1x120",
    "stuff_database_up": "1x120",
    "stuff_database_connections_in_use": "300x120",
    'stuff_requests_total{status="200"}': "0+60000x120",
    'stuff_requests_total{status="503"}': "0+60x120",
    "stuff_requests_refused_total": "5x120",
    'stuff_problems_total{type="unauthorized"}': "0+30x120",
    'stuff_problems_total{type="internal-error"}': "3x120",
    'stuff_round_trip_duration_seconds_bucket{kind="read",le="0.5"}': "0+100x120",
    'stuff_round_trip_duration_seconds_bucket{kind="read",le="2.5"}': "0+100x120",
    LARGEST: "0+100x120",
    "stuff_feed_silence_seconds": "10x120",
    "stuff_feed_dropped_total": "7x120",
    # Two workers.
    'process_start_time_seconds{pid="1"}': "1x120",
    'process_start_time_seconds{pid="2"}': "1x120",
    'process_open_fds{pid="1"}': "700x120",
    'process_max_fds{pid="1"}': "1024x120",
}
"""Series by the minute, for two hours: from a value, by a step, so many times."""

BAD = {
    "StuffAbsent": {'stuff_build_info{version="1"}': "_x120"},
    "StuffDatabaseDown": {"stuff_database_up": "0x120"},
    "StuffErrors": {'stuff_requests_total{status="503"}': "0+900x120"},
    "StuffInternalErrors": {'stuff_problems_total{type="internal-error"}': "0+1x120"},
    "StuffOverloaded": {"stuff_requests_refused_total": "0+1x120"},
    "StuffSlowDatabase": {
        'stuff_round_trip_duration_seconds_bucket{kind="read",le="0.5"}': "0+90x120"
    },
    "StuffConnectionsBusy": {"stuff_database_connections_in_use": "450x120"},
    "StuffSilentFeed": {"stuff_feed_silence_seconds": "0+60x120"},
    "StuffFeedDrops": {"stuff_feed_dropped_total": "0+5x120"},
    "StuffRefusedKeys": {'stuff_problems_total{type="unauthorized"}': "0+300x120"},
    "StuffFileDescriptors": {'process_open_fds{pid="1"}': "900x120"},
    "StuffVersionsDiffer": {'stuff_build_info{version="2"}': "1x120"},
}
"""What is different when the alert, and no other, is to fire."""


@pytest.fixture
def promtool() -> str:
    return find_program("promtool", package="prometheus")


def test_each_alert_fires_for_what_it_is_about_and_for_nothing_else(
    promtool: str, tmp_path: Path
) -> None:
    tests = [
        {
            "name": str(alert),
            "interval": "1m",
            "input_series": [
                {"series": labelled(series), "values": values}
                for series, values in (WELL | different).items()
            ],
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": "100m",
                    "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}]
                    if alert
                    else [],
                }
            ],
        }
        for alert, different in [("", {}), *BAD.items()]
    ]
    file = tmp_path / "tests.yaml"  # JSON is YAML
    file.write_text(
        json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests})
    )
    for command in (["check", "rules", str(RULES)], ["test", "rules", str(file)]):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=TIMEOUT)
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_tried() -> None:
    assert RULES.read_text().count("- alert: ") == len(BAD)
    for alert in BAD:
        assert f"- alert: {alert}\n" in RULES.read_text()


def labelled(series: str) -> str:
    """The series with the labels that Prometheus adds."""
    name, _, labels = series.rstrip("}").partition("{")
    return f"{name}{{{','.join(filter(None, [labels, LABELS]))}}}"
