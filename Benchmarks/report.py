"""From measurements to a table: medians, ratios within the run, and targets beside them."""

from statistics import median

PARTNER = {"compact": "floor, flat", "debezium": "floor, envelope"}


def middle(rounds: list[dict]) -> dict:
    """The median of each figure over the rounds."""
    return {key: None if rounds[0][key] is None else round(median(one[key] for one in rounds), 4) for key in rounds[0]}


def ratios(rounds: dict[str, list[dict]], program: str, partner: str) -> dict | None:
    """Rate and CPU against another program: the median of the ratios, round by round, since only neighbours in time are alike."""
    if partner not in rounds:
        return None
    pairs = list(zip(rounds[program], rounds[partner]))
    return {
        "rate": round(median(one["rows_per_second"] / other["rows_per_second"] for one, other in pairs), 3),
        "cpu": round(median(one["cpu_per_million"] / other["cpu_per_million"] for one, other in pairs), 3),
    }


def targets(drains: dict, allocations: dict, latencies: dict) -> list[dict]:
    """Each target with its figure; `met` is None where the figure is missing."""
    found = []

    def add(what: str, figure, bound: float, at_most: bool):
        met = None if figure is None else (figure <= bound if at_most else figure >= bound)
        found.append({"what": what, "figure": figure, "bound": ("≤ " if at_most else "≥ ") + f"{bound:g}", "met": met})

    for kafka, programs in drains.items():
        for name, figures in programs.items():
            if not name.startswith("cdc-host"):
                continue
            if not name.endswith("masked"):
                floor = figures.get("against_floor") or {}
                add(f"{name}, {kafka} Kafka: rate against the floor", floor.get("rate"), 0.9, at_most=False)
                add(f"{name}, {kafka} Kafka: CPU against the floor", floor.get("cpu"), 1.3, at_most=True)
            add(f"{name}, {kafka} Kafka: peak RSS in MB", round(figures["median"]["peak_rss_mb"], 1), 64, at_most=True)
    for name, figures in allocations.items():
        if name.startswith("cdc-host"):
            # Allocations by the batch are not by the row: a batch has some hundred rows.
            add(f"{name}: own allocations a row", round(figures["own"], 3), 0.05, at_most=True)
    for name, figures in latencies.items():
        if name.startswith("cdc-host"):
            add(f"{name}: commit to consumer, p99 in ms", figures["p99_ms"], 10, at_most=True)
    return found


def columns(rows: list[list[str]], right: set[int]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) if i in right else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def text(result: dict) -> str:
    """The whole result for a terminal."""
    machine, settings = result["machine"], result["settings"]
    parts = [
        f"cdc-host {machine['commit'] or ''}  {machine['cores']} cores  Linux {machine['kernel']}  {machine['postgresql']}  librdkafka {machine['librdkafka']}  "
        f"load {machine['load_before']}",
    ]
    for kafka, programs in result["drain"].items():
        rows = [["program", "rows/s", "CPU s/M rows", "walsender", "peak RSS MB", "rate/floor", "CPU/floor", "rate/recvlogical"]]
        for name, figures in programs.items():
            one, floor = figures["median"], figures.get("against_floor") or {}
            rows.append([
                name, f"{one['rows_per_second']:,.0f}", f"{one['cpu_per_million']:.2f}",
                "" if one["walsender_cpu_per_million"] is None else f"{one['walsender_cpu_per_million']:.2f}", f"{one['peak_rss_mb']:.1f}",
                f"{floor['rate']:.2f}" if floor else "", f"{floor['cpu']:.2f}" if floor else "",
                f"{figures['against_recvlogical']['rate']:.2f}" if figures.get("against_recvlogical") else "",
            ])
        parts.append(
            f"{settings['rows']:,} rows into the {kafka} Kafka, median of {settings['rounds']} rounds\n" + columns(rows, set(range(1, len(rows[0])))))
    if result["allocations"]:
        rows = [["allocations a row", "own", "by library"]]
        for name, figures in result["allocations"].items():
            rows.append([name, f"{figures['own']:.3f}", "  ".join(f"{library} {count:.3f}" for library, count in list(figures["by_library"].items())[:6])])
        parts.append(columns(rows, {1}))
    if result["latency"]:
        rows = [[f"commit to consumer at {settings['latency_rate']:,} rows/s", "rows", "p50 ms", "p99 ms", "max ms", "CPU share"]]
        for name, figures in result["latency"].items():
            rows.append([name, f"{figures['rows']:,}", f"{figures['p50_ms']:.1f}", f"{figures['p99_ms']:.1f}", f"{figures['max_ms']:.1f}", f"{figures['cpu_share']:.2f}"])
        parts.append(columns(rows, {1, 2, 3, 4, 5}))
    rows = [["target", "figure", "bound", ""]]
    for target in result["targets"]:
        met = {True: "met", False: "missed", None: "not measured"}[target["met"]]
        rows.append([target["what"], "-" if target["figure"] is None else f"{target['figure']:g}", target["bound"], met])
    parts.append(columns(rows, {1}))
    parts += [f"not run: {what}" for what in result["not_run"]]
    return "\n\n".join(parts)
