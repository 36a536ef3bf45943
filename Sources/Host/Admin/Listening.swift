import Chain
import Pipeline
import Synchronization
import Telemetry

/// What the admin endpoint shows once there is something to show: it listens before the rest stands.
final class Listening: Sendable {
    private let box = Mutex<StatusReport?>(nil)

    func attach(_ report: StatusReport) { box.withLock { $0 = report } }

    var report: StatusReport? { box.withLock { $0 } }

    /// Gauges that are computed when somebody asks.
    func refresh() {
        guard let report else { return }
        let state = report.shared.inFlight?.snapshot()
        let metrics = report.context.metrics
        metrics.lagBytes.set(Lag.bytes(report.context, state))
        metrics.lagSeconds.set(Lag.seconds(state))
        metrics.inFlightBytes.set(UInt64(state?.inFlightBytes ?? 0))
        if let state { metrics.acknowledgedLSN.raise(to: state.durable.position) }
        metrics.confirmedLSN.raise(to: report.checkpointer.confirmed.value)
    }
}
