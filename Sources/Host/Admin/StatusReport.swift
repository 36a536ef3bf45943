import Chain
import Checkpoint
import Pipeline
import PluginLoader
import Postgres
import Settings
import Synchronization
import Telemetry

/// `/status`: what the host says of itself, as JSON. Never a row value, never a secret.
struct StatusReport {
    let context: HostContext
    let shared: RunShared
    let checkpointer: Checkpointer
    let reloader: Reloader

    func json() -> JSONText {
        let running = reloader.running
        let state = shared.inFlight?.snapshot()
        let (phase, ready, reasons) = context.withHealth { health, now in
            (health.phase.rawValue, health.readiness(at: now).ok, health.reasons(at: now))
        }
        var last: JSONText = .null
        switch running.last {
        case .none: break
        case .ok(let text): last = ["number": .count(running.reloads), "result": "ok", "message": .text(text), "at": .optional(running.at?.iso8601)]
        case .refused(let text): last = ["number": .count(running.reloads), "result": "refused", "message": .text(text), "at": .optional(running.at?.iso8601)]
        }
        var snapshot: JSONText = .null
        if let status = context.snapshotStatus.withLock({ $0 }) {
            snapshot = [
                "fraction": .real(status.fraction), "rows": .count(status.rows), "rows_per_second": .real(status.rowsPerSecond), "complete": .flag(status.isComplete),
            ]
        }
        return [
            "name": .text(context.settings.name), "version": .text(hostVersion), "pid": .count(currentPID()), "phase": .text(phase), "ready": .flag(ready),
            "reasons": .array(reasons.map { ["code": .text($0.code), "detail": .text($0.detail)] }), "uptime_seconds": .count(context.uptime.components.seconds),
            "generation": .count(running.generation),
            "stages": .array(
                running.assembled.stages.map { stage in
                    [
                        "stage": .text(stage.instance.name), "plugin": .text(stage.instance.code.id), "role": .text(stage.resolved.stage.role.description),
                        "version": .text(stage.instance.code.version), "sha256": .text(stage.instance.code.sha256),
                        "generation": .count(stage.instance.generation), "file": .text(stage.resolved.library.path),
                    ]
                }),
            "source": [
                "slot": .text(context.settings.source.slot.name), "publication": .text(context.settings.source.publication.name),
                "left_out": .array(shared.leftOut.map { .text($0) }),
            ],
            "positions": [
                "received": position(context.metrics.receivedLSN.value), "acknowledged": position(state?.durable.position ?? 0),
                "confirmed": position(checkpointer.confirmed.value),
            ],
            "transactions_acknowledged": .count(state?.transactions ?? 0), "in_flight_bytes": .count(state?.inFlightBytes ?? 0),
            "lag": ["bytes": .count(Lag.bytes(context, state)), "seconds": .real(Lag.seconds(state))], "snapshot": snapshot, "last_reload": last,
            "dead_letters": 0,
        ]
    }

    private func position(_ value: UInt64) -> JSONText { value == 0 ? .null : .text(LSN(rawValue: value).description) }
}

/// How far behind: of what was received and is not acknowledged.
enum Lag {
    static func bytes(_ context: HostContext, _ state: InFlight.Snapshot?) -> UInt64 {
        let received = context.metrics.receivedLSN.value
        let acknowledged = state?.durable.position ?? received
        return received > acknowledged ? received - acknowledged : 0
    }

    /// Age of the oldest transaction that waits for the sink.
    static func seconds(_ state: InFlight.Snapshot?) -> Double {
        guard let time = state?.oldestPendingCommitTime else { return 0 }
        return max(0, Double(WallTime.now().microseconds - time) / 1_000_000)
    }
}
