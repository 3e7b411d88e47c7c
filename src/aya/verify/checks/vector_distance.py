"""The vector extension of AYA's own database computes distances that are known.

(1,2,3) and (4,5,6): Euclidean distance sqrt(27), inner product 32, cosine distance 1 - 32 / sqrt(14 * 77).
"""

from collections.abc import Iterator
from math import isclose, sqrt

from aya.db.connection import rows
from aya.verify.check import Check, Finding, Subject, failed, passed

PROBE = """
SELECT (a <-> b)::float8 AS euclidean, (a <#> b)::float8 AS negative_inner_product, (a <=> b)::float8 AS cosine
FROM (SELECT '[1,2,3]'::vector AS a, '[4,5,6]'::vector AS b) AS given
"""
KNOWN = {"euclidean": sqrt(27), "negative_inner_product": -32.0, "cosine": 1 - 32 / sqrt(14 * 77)}


def run(subject: Subject) -> Iterator[Finding]:
    """One finding."""
    said = rows(subject.database, PROBE)[0]
    wrong = [name for name, value in KNOWN.items() if not isclose(said[name], value, rel_tol=1e-6)]
    if wrong:
        yield failed("vector", f"wrong: {', '.join(wrong)}", str(said), probe=PROBE)
    else:
        yield passed("vector", str(said), probe=PROBE)


check = Check(run)
