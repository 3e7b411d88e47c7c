"""PostgreSQL and Python write the same canonical JSON, and so hash the same, for whatever document is generated."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from aya.db.connection import Connection, rows
from aya.db.database import Login
from aya.snapshot.canonical import EXACT, canonical, digest
from bench._laboratory import Laboratory
from soak._trial import Outcome, Trial

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.text(
    # Where the orders of UTF-8 and UTF-16 differ, and what is escaped.
    st.sampled_from('aZ"\\/\b\t\n\x0b\f\r\x1f\x7f\x80é€\ud7ff\ue000\ufb33\uffff\U00010000\U0001f600\U0010ffff'),
    max_size=6,
)
numbers = (
    st.integers(-EXACT, EXACT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.builds(lambda digits, power: digits * 10.0**power, st.integers(-9999, 9999), st.integers(-30, 30))
)
documents = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=25,
)
"""Documents that both can hold: PostgreSQL's JSON has no U+0000."""


def disagreement(connection: Connection, document: Any) -> str | None:
    """How the two differ about a document; None when they do not."""
    data = canonical(document)
    found = rows(
        connection,
        "SELECT aya.canonical(d) AS text, aya.canonical_hash(d) AS hash FROM (SELECT %(document)s::jsonb AS d) g",
        {"document": data.decode()},
    )[0]
    if (found["text"], found["hash"]) == (data.decode(), digest(data)):
        return None
    return f"{document!r}: {found['text']!r} instead of {data.decode()!r}"


def run(lab: Laboratory, times: int, seed: int, progress: Callable[[str], None]) -> Outcome:
    """So many documents, generated from the seed."""
    failures: list[str] = []
    done = 0
    with lab.context.database.connect(Login.READER) as reader:

        @seeded(seed)
        @settings(
            max_examples=times,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(documents)
        def compare(document: Any) -> None:
            nonlocal done
            done += 1
            if problem := disagreement(reader, document):
                failures.append(problem)
            if done % 1000 == 0:
                progress(f"{done:,} documents, {len(failures)} hashed differently")

        compare()
    return Outcome(f"{done:,} documents, {len(failures)} hashed differently by PostgreSQL and Python", tuple(failures))


trial = Trial(run, times=10_000)
