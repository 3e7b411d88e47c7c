"""What the server says of itself: OpenAPI, a page for people, figures for Prometheus."""

import re
import shutil
import subprocess

import httpx2
import pytest

from aya.db.connection import Connection, rows
from aya.operations.operation import operations


def test_every_operation_with_a_route_is_in_the_document_with_what_it_does(client: httpx2.Client) -> None:
    document = client.get("/openapi.json").json()
    there = {
        (method.upper(), path): said for path, methods in document["paths"].items() for method, said in methods.items()
    }
    for operation in operations().values():
        for route in operation.routes:
            path = "/api/v1" + re.sub(r":\w+}", "}", route.path)
            assert there.pop((route.method, path))["summary"] == operation.summary
    assert there == {}


def test_what_a_column_means_is_what_its_comment_says(client: httpx2.Client, writer: Connection) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    (said,) = rows(
        writer,
        "SELECT col_description('postgresql_configuration'::regclass, attnum) AS comment FROM pg_attribute "
        "WHERE attrelid = 'postgresql_configuration'::regclass AND attname = 'pending_value'",
    )
    assert schemas["settings_row"]["properties"]["pending_value"]["description"] == said["comment"]
    undescribed = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        if name.endswith("_row")
        for field, about in schema["properties"].items()
        if not about["description"]
    ]
    assert undescribed == []


def test_the_page_for_people_needs_no_script_and_no_other_host(client: httpx2.Client) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', page.text)) == {"/docs.css", "/openapi.json"}
    assert client.get("/docs.css").headers["content-type"].startswith("text/css")
    for operation in operations().values():
        assert not operation.routes or f'id="{operation.name}"' in page.text


def test_the_figures_are_as_prometheus_wants_them(client: httpx2.Client) -> None:
    client.get("/api/v1/nodes")
    client.request("PROPFIND", "/nowhere")
    text = client.get("/metrics").text
    assert 'aya_http_requests_total{method="GET",operation="show_system",status="200"}' in text
    assert "PROPFIND" not in text
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("promtool is not installed")
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
