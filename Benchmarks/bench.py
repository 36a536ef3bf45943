"""The whole measurement: backlog, drains in rounds, allocations, latency, the report."""

import argparse
import json
import os
import queue
import shutil
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "Tests"))
sys.dont_write_bytecode = True

import report  # noqa: E402
from allocations import allocations_per_row  # noqa: E402
from backlog import Backlog  # noqa: E402
from drain import drain, drain_to_nowhere  # noqa: E402
from latency import latency_of_floor, latency_of_host  # noqa: E402
from machine import facts  # noqa: E402
from programs import CdcHost, Floor, compile_floor  # noqa: E402
from Support.kafka import EmbeddedKafka, RealKafka, why_no_real_kafka  # noqa: E402

NOWHERE = "pg_recvlogical to /dev/null"
HOSTS = [CdcHost("compact"), CdcHost("debezium"), CdcHost("compact", masked=True), CdcHost("debezium", masked=True)]


def arguments():
    parser = argparse.ArgumentParser(prog="Benchmarks/run", description="Measures cdc-host beside the floor and pg_recvlogical, in one run.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the backlog (1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds; the median counts (3)")
    parser.add_argument("--json", metavar="FILE", help="the result for machines (Benchmarks/results/latest.json)")
    parser.add_argument("--kafka", choices=["all", "embedded", "real"], default="all", help="which brokers (all that are there)")
    parser.add_argument("--only", metavar="TEXT", help="only programs whose name contains this, and the floor")
    parser.add_argument("--latency-seconds", type=float, default=10, help="length of the latency measurement; 0 leaves it out (10)")
    parser.add_argument("--latency-rate", type=int, default=5000, help="rows a second (5000)")
    parser.add_argument("--no-allocations", action="store_true", help="leave the counting of allocations out")
    options = parser.parse_args()
    if options.rows < 10_000 or options.rounds < 1:
        parser.error("at least 10000 rows and one round")
    return options


def say(text: str):
    print(text, file=sys.stderr, flush=True)


def drains_in_rounds(programs: list, rounds: int, backlog: Backlog, kafka, with_nowhere: bool, not_run: list) -> dict[str, list[dict]]:
    """Each program once a round, the order turned on by one each time. What fails is noted in `not_run`, and the others go on."""
    measured: dict[str, list[dict]] = {}
    for number in range(rounds):
        turned = programs[number % len(programs):] + programs[:number % len(programs)]
        for program in ([None] if with_nowhere else []) + turned:
            name = program.name if program else NOWHERE
            run = f"{kafka.name}{number}{''.join(c for c in name if c.isalnum())}"
            try:
                one = drain(program, run, backlog, kafka) if program else drain_to_nowhere(backlog)
            except RuntimeError as error:
                not_run.append(f"{name}, {kafka.name} Kafka, round {number + 1}: {error}")
                continue
            measured.setdefault(name, []).append(one.as_json())
            say(f"  round {number + 1}  {name:28} {one.rows_per_second:10,.0f} rows/s  {one.cpu_per_million:6.2f} CPU s/M  {one.peak_rss_mb:6.1f} MB")
    return measured


def summary(measured: dict[str, list[dict]], order: list[str]) -> dict:
    found = {}
    for name in [name for name in order if name in measured]:
        found[name] = {"median": report.middle(measured[name]), "rounds": measured[name]}
        if name.startswith("cdc-host"):
            found[name]["against_floor"] = report.ratios(measured, name, report.PARTNER[name.split(", ")[1]])
        if name != NOWHERE and NOWHERE in measured:
            found[name]["against_recvlogical"] = report.ratios(measured, name, NOWHERE)
    return found


def measure(options) -> dict:
    floor = compile_floor()
    floors = [Floor(floor, "flat"), Floor(floor, "envelope")] if floor else []
    hosts = [host for host in HOSTS if not options.only or options.only in host.name]
    result = {
        "machine": facts(), "settings": {"rows": options.rows, "rounds": options.rounds, "latency_rate": options.latency_rate},
        "drain": {}, "allocations": {}, "latency": {}, "targets": [], "not_run": [] if floor else ["the floor: ../shared/bench/floor.c is not there"],
    }
    kinds = []
    if options.kafka != "real":
        kinds.append(EmbeddedKafka)
    if options.kafka != "embedded":
        if why_no_real_kafka():
            result["not_run"].append(f"the real Kafka: {why_no_real_kafka()}")
        else:
            kinds.append(RealKafka)
    say(f"writing {options.rows:,} rows")
    backlog = Backlog(options.rows)
    try:
        for kind in kinds:
            kafka = start(kind, result["not_run"])
            if kafka is None:
                continue
            say(f"{kafka.name} Kafka")
            try:
                measure_with(kafka, floors, hosts, backlog, options, result, with_allocations=kind is kinds[0] and not options.no_allocations)
            finally:
                kafka.stop()
    finally:
        backlog.close()
        if floor:
            shutil.rmtree(os.path.dirname(floor), ignore_errors=True)
    result["targets"] = report.targets(result["drain"], result["allocations"], result["latency"])
    return result


def start(kind, not_run: list):
    """A broker, or None: a port that was free may be taken by the time it is bound."""
    for _ in range(3):
        try:
            return kind()
        except RuntimeError as error:
            why = str(error).strip().splitlines()[-1:]
    not_run.append(f"the {kind.name} Kafka: it does not start: {''.join(why)}")
    return None


def measure_with(kafka, floors: list, hosts: list, backlog: Backlog, options, result: dict, with_allocations: bool):
    """Everything that is measured with one broker; goes into `result`."""
    not_run = result["not_run"]
    measured = drains_in_rounds(floors + hosts, options.rounds, backlog, kafka, True, not_run)
    result["drain"][kafka.name] = summary(measured, [NOWHERE] + [program.name for program in floors + hosts])
    for program in floors[:1] + hosts if with_allocations else []:
        try:
            counted = allocations_per_row(program, f"allocations{''.join(c for c in program.name if c.isalnum())}", backlog, kafka)
        except RuntimeError as error:
            not_run.append(f"{program.name}, allocations: {error}")
            continue
        result["allocations"][program.name] = counted
        say(f"  allocations  {program.name:28} {counted['own']:.3f} own a row")
    if options.latency_seconds <= 0:
        return
    load = (backlog.database, backlog.connection, kafka)
    measurements = {
        f"floor, flat, {kafka.name} Kafka": lambda: latency_of_floor(
            floors[0], *load, f"floor_{kafka.name}", options.latency_rate, options.latency_seconds) if floors else None,
        f"cdc-host, {kafka.name} Kafka": lambda: latency_of_host(*load, f"host_{kafka.name}", options.latency_rate, options.latency_seconds),
    }
    for name, run in measurements.items():
        try:
            latency = run()
        except (RuntimeError, AssertionError, queue.Empty) as error:
            not_run.append(f"{name}, latency: {str(error) or 'the consumer did not get all rows in time'}")
            continue
        if latency:
            result["latency"][name] = latency
            say(f"  latency  {name}: p50 {latency['p50_ms']} ms, p99 {latency['p99_ms']} ms")


def main():
    # Servers are stopped on the way out, whatever ends the run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    result = measure(options)
    path = options.json or os.path.join(HERE, "results", "latest.json")
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w") as file:
        json.dump(result, file, indent=1, ensure_ascii=False)
        file.write("\n")
    print(report.text(result))
    say(f"\n{path}")


if __name__ == "__main__":
    main()
