"""The results of checks as JUnit XML, which CI systems show."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from aya.errors import HostError
from aya.model import CheckOutcome, CheckResult

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, node_name: str, results: Sequence[CheckResult]) -> None:
    """Write the results of one node to a file. Raises HostError when it cannot be written."""
    try:
        path.write_bytes(junit(node_name, results))
    except OSError as error:
        raise HostError(
            f"The results are stored, but cannot be written to {path}: {error.strerror}.",
            remedy="Name a file in a folder that you may write.",
        ) from error


def junit(node_name: str, results: Sequence[CheckResult]) -> bytes:
    """One test suite for the node, one test case for each thing tested; UTF-8."""
    counts = Counter(result.outcome for result in results)
    totals = {
        "tests": str(len(results)),
        "failures": str(counts[CheckOutcome.FAIL]),
        "errors": "0",
        "skipped": str(counts[CheckOutcome.SKIPPED]),
        "time": _seconds(sum(result.duration_ms for result in results)),
    }
    root = ElementTree.Element("testsuites", {"name": "aya verify", **totals})
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": _said(node_name), "hostname": _said(node_name), **totals}
    )
    if results:
        suite.set("timestamp", min(result.started_at for result in results).isoformat(timespec="seconds"))
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            {
                "classname": _said(result.check),
                "name": _said(result.target or result.check),
                "time": _seconds(result.duration_ms),
            },
        )
        reason = _said(result.reason or "")
        if result.outcome is CheckOutcome.FAIL:
            ElementTree.SubElement(case, "failure", {"message": reason}).text = _said(result.evidence) or reason
        elif result.outcome is CheckOutcome.SKIPPED:
            ElementTree.SubElement(case, "skipped", {"message": reason})
        evidence = "" if result.outcome is CheckOutcome.FAIL else result.evidence  # which stands in the failure
        if said := "\n\n".join(part for part in (result.probe, evidence) if part):
            ElementTree.SubElement(case, "system-out").text = _said(said)
    ElementTree.indent(root)
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"


def _said(text: str) -> str:
    """Text that XML can hold: other characters are shown, not kept."""
    return NOT_IN_XML.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
