"""Measure and show.

    python -m bench [NAME ...] [--quick] [--json]

Every figure is a ratio of two things that ran in turn in this run, because absolute times say more about the machine and
its other work than about AYA. A goal that was missed is said, and is no error.
"""

import argparse
import inspect
import os
from importlib import import_module
from statistics import median
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from aya.registry import discover
from bench._figure import Figure, Line
from bench._laboratory import laboratory

WIDTH = 130
"""Of the tables, where there is no terminal that says."""


def main() -> None:
    figures = discover("bench", Figure, "figure")
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure how fast AYA is.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(figures)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller tables")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else on stdout")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in figures]:
        parser.error(f"there is no figure {', '.join(unknown)}; there are: {', '.join(figures)}")

    progress = Console(stderr=True)
    measured: dict[str, list[Line]] = {}
    load = [os.getloadavg()[0]]
    with laboratory(quick=options.quick) as lab:
        for name in options.names or figures:
            measured[name] = []
            with progress.status(name):
                for line in figures[name].measure(lab):
                    measured[name].append(line)
                    progress.print(f"{name}: {line.what}: {sentence(line)}", highlight=False)
            load.append(os.getloadavg()[0])
    if options.json:
        print(orjson.dumps(document(measured, load), option=orjson.OPT_INDENT_2).decode())
    else:
        show(measured, load)


def sentence(line: Line) -> str:
    ratio = f", {median(line.ratios):.2f}x" if line.ratios else ""
    return f"{amount(line.ours, line.unit)}{ratio}"


def show(measured: dict[str, list[Line]], load: list[float]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    for name, lines in measured.items():
        table = Table(title=f"[bold]{name}[/] {summary(name)}", title_justify="left", title_style="")
        for column in ("what", "ours", "reference", "ratio", "goal", "reached"):
            table.add_column(column, justify="left" if column == "what" else "right")
        for line in lines:
            against = f"{line.against}: " if line.against else ""
            table.add_row(
                line.what,
                amount(line.ours, line.unit),
                against + amount(line.reference, line.unit) if line.reference else line.against,
                amount(line.ratios, "x") if line.ratios else "",
                str(line.goal or ""),
                {True: "yes", False: "NO", None: ""}[line.reached],
            )
        console.print(table)
    loads = f"load from {min(load):.1f} to {max(load):.1f}"
    console.print(f"Median (least - most) of the rounds, side by side in this run. {os.cpu_count()} CPUs, {loads}.")


def amount(values: tuple[float, ...], unit: str) -> str:
    def number(value: float) -> str:
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"

    gap = "" if unit == "x" else " "
    spread = f" ({number(min(values))} - {number(max(values))})" if len(values) > 1 else ""
    return f"{number(median(values))}{gap}{unit}{spread}"


def summary(name: str) -> str:
    return (inspect.getdoc(import_module(f"bench.{name}")) or "").split("\n\n")[0].replace("\n", " ")


def document(measured: dict[str, list[Line]], load: list[float]) -> dict[str, Any]:
    def spread(values: tuple[float, ...]) -> dict[str, float] | None:
        return {"median": median(values), "least": min(values), "most": max(values)} if values else None

    lines = [
        {
            "figure": name,
            "what": line.what,
            "unit": line.unit,
            "ours": spread(line.ours),
            "against": line.against,
            "reference": spread(line.reference),
            "ratio": spread(line.ratios),
            "goal": str(line.goal) if line.goal else None,
            "reached": line.reached,
            "rounds": len(line.ours),
        }
        for name, lines in measured.items()
        for line in lines
    ]
    return {"cpus": os.cpu_count(), "load": {"least": min(load), "most": max(load)}, "lines": lines}


if __name__ == "__main__":
    main()
