"""Results as JSON (every run) and as a Markdown table (medians and ranges)."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import subprocess
import time
from pathlib import Path
from statistics import median

from measure import Cost
from tables import DAEMON_MEMORY, FLOORS, OURS, Result, Settings


def write(suite, results: list[Result], settings: Settings) -> None:
    text = markdown(suite, results, settings)
    (settings.out / f"{suite.name}.md").write_text(text)
    (settings.out / f"{suite.name}.json").write_text(
        json.dumps(
            {
                "suite": suite.name,
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "machine": {**machine(), "network": settings.network},
                "versions": suite.versions(),
                "rows": [_row(result) for result in results],
            },
            indent=2,
        )
        + "\n"
    )
    print(text)
    print(f"Every run: {settings.out / suite.name}.json")


def machine() -> dict[str, str]:
    """Where the numbers are from."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": f"{os.cpu_count()} × {cpu}",
        "memory": f"{memory / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def markdown(suite, results: list[Result], settings: Settings) -> str:
    facts = machine()
    lines = [
        f"{facts['cpu']}, {facts['memory']}, {facts['system']}, Linux {facts['kernel']}, {settings.network}; "
        + ", ".join(f"{name} {version}" for name, version in suite.versions().items())
        + ". Median (lowest–highest).",
        "",
        "| | contender | runs | wall s | rate | client CPU s | peak MiB | store CPU s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    verdicts = []
    for result in results:
        row = result.row
        for number, (name, costs) in enumerate(result.costs.items()):
            walls = [cost.seconds for cost in costs]
            rate = row.amount / median(walls)
            lines.append(
                f"| {row.title if number == 0 else ''} | {name} | {len(costs)} | {_spread(walls)} "
                f"| {_rate(rate, row.unit)} | {_spread([cost.cpu for cost in costs])} "
                f"| {max(cost.memory for cost in costs) >> 20} | {median([cost.server_cpu for cost in costs]):.2f} |"
            )
        verdicts += _verdict(result)
    lines += ["", *verdicts]
    return "\n".join(lines) + "\n"


def _verdict(result: Result) -> list[str]:
    """Ours against the faster peer, and against rclone's CPU."""
    ours = result.costs.get(OURS)
    if not ours:
        return []
    words = []
    peers = {name: costs for name, costs in result.costs.items() if not name.startswith(OURS) and name not in FLOORS}
    if peers:
        name, costs = min(peers.items(), key=lambda item: _wall(item[1]))
        words.append(f"{_wall(costs) / _wall(ours):.2f} × as fast as {name}")
    if "rclone" in peers:
        words.append(f"{_cpu(ours) / _cpu(peers['rclone']):.2f} of rclone's CPU")
    for bound in result.row.at_most:
        chosen = {name: costs for name, costs in peers.items() if name.startswith(bound.peers)}
        if not chosen:
            continue
        value, of_ours = (_cpu, _daemon_cpu) if bound.what == "daemon CPU" else (_wall, _wall)
        best = min(chosen, key=lambda name: value(chosen[name]))
        ratio = of_ours(result.costs.get(bound.ours, ours)) / value(chosen[best])
        kept = "kept" if ratio <= bound.factor else "**missed**"
        who = "" if bound.ours == OURS else f"{bound.ours.removeprefix(OURS).strip(', ')}: "
        words.append(f"{who}{ratio:.2f} × the {bound.what} of {best} (bound {bound.factor:.2f}: {kept})")
    if result.row.at_most:
        peak = max(cost.memory for name, costs in result.costs.items() if name.startswith(OURS) for cost in costs)
        kept = "kept" if peak <= DAEMON_MEMORY else "**missed**"
        words.append(f"at most {peak >> 20} MiB (bound {DAEMON_MEMORY >> 20}: {kept})")
    if result.row.bound:
        rate = result.row.amount / _wall(ours)
        words.append(f"{rate / result.row.bound:.2f} × the bound of {_rate(result.row.bound, result.row.unit)}")
    if result.disturbed:
        words.append(f"{result.disturbed} runs were disturbed by other processes")
    return [f"- {result.row.title}: {', '.join(words)}."] if words else []


def _wall(costs: list[Cost]) -> float:
    return median([cost.seconds for cost in costs])


def _cpu(costs: list[Cost]) -> float:
    return median([cost.cpu for cost in costs])


def _daemon_cpu(costs: list[Cost]) -> float:
    return median([cost.helper_cpu for cost in costs])


def _spread(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def _rate(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value / 1e9:.2f} GB/s" if value >= 1e9 else f"{value / 1e6:.0f} MB/s"
    return f"{value:,.0f} {unit}/s"


def _row(result: Result) -> dict:
    return {
        "name": result.row.name,
        "title": result.row.title,
        "amount": result.row.amount,
        "unit": result.row.unit,
        "disturbedRuns": result.disturbed,
        "runs": {
            name: [{k: v for k, v in dataclasses.asdict(cost).items() if k != "output"} for cost in costs]
            for name, costs in result.costs.items()
        },
        "commands": {name: list(task.command) for name, task in result.row.tasks.items()},
    }


def version_of(command: list[str]) -> str:
    """The first line of what a program says of its version."""
    return (subprocess.run(command, capture_output=True, text=True).stdout.splitlines() or ["?"])[0].strip()
