import Chain
import Pipeline
import Postgres
import Settings
import Telemetry

/// What is tried again, after which pause, and when no more. Stage thread.
final class Attempts {
    private let context: HostContext
    private let source: SourceSession
    private let gate: Gate
    private var sourcePatience: Patience
    private var sinkPatience: Patience
    private var heldSince: UInt64?
    /// The last attempt found no server, or lost it.
    private var isServerAway = false
    /// In a pause that is longer a server that was away is looked for so often; a little by chance, so that many hosts do not come at once.
    private static let lookEvery: ClosedRange<UInt64> = 1_500_000_000...2_500_000_000
    /// The server's, once it is known: a held slot is waited for a little longer.
    var walSenderTimeout: Duration?
    /// Called while a pause lasts.
    var whileWaiting: (() -> Void)?

    init(context: HostContext, source: SourceSession, gate: Gate) {
        self.context = context
        self.source = source
        self.gate = gate
        sourcePatience = Patience(context.settings.retry)
        sinkPatience = Patience(context.settings.retry)
    }

    /// The source works.
    func sourceSucceeded() {
        sourcePatience.succeeded()
        heldSince = nil
    }

    /// Until it succeeds, or fails for good.
    func retrying<R>(_ body: () throws -> R) throws -> R {
        while true {
            do {
                if context.isStopping { throw Stopped() }
                let result = try body()
                sourcePatience.succeeded()
                return result
            } catch let error as PostgresError {
                source.drop()
                if context.isStopping { throw Stopped() }
                try away(error)
            }
        }
    }

    /// The source failed: waits before the next attempt, or throws what ends the process.
    func away(_ error: PostgresError) throws {
        // 57P0x: the server shuts down, or starts, or has ended this session. One that says anything else is there.
        isServerAway = error.sqlstate.map { $0.hasPrefix("57P0") || $0.hasPrefix("08") } ?? (error.doing == .connecting || error.kind == .connection)
        try away(ErrorPolicy.judge(error))
    }

    /// The same, for an outcome that was judged elsewhere.
    func away(_ verdict: ErrorPolicy.Verdict) throws {
        source.drop()
        switch verdict {
        case .interrupted:
            if let fatal = context.fatal { throw fatal }
            throw Stopped()
        case .exit(let exit): throw exit
        case .slotHeld(let reason):
            let now = monotonicNow()
            heldSince = heldSince ?? now
            let limit = context.settings.source.slot.wait ?? (walSenderTimeout ?? .seconds(60)) + .seconds(10)
            context.enter(.slotHeld, reason)
            if Duration.nanoseconds(Int64(now - (heldSince ?? now))) >= limit {
                throw HostExit(.held, reason, cure: "stop the process that holds the slot, or name another in source.slot.name")
            }
            context.log.limited(.warning, "slot_held", stage: "source", ["reason": .text(reason), "waits": .duration(limit)])
            try sleep(.seconds(1))
        case .retry(let reason):
            heldSince = nil
            context.withHealth { $0.away(.source, reason, at: $1) }
            context.metrics.reconnects(.source).add()
            let decision = sourcePatience.failed()
            try wait(decision, for: reason, lookingForServer: true, [("side", "source"), ("attempt", .number(Int64(sourcePatience.attempts)))])
        }
    }

    /// The sink has to be made anew: waits for the time to do so.
    /// - Parameter delivered: it has delivered something since it was last made.
    func sinkLost(_ reason: String, delivered: Bool) throws {
        // One that delivers nothing between two losses is not well again because it could be made.
        if delivered { sinkPatience.succeeded() }
        let decision = sinkPatience.failed()
        try wait(
            decision, for: reason,
            [
                ("side", "sink"), ("attempt", .number(Int64(sinkPatience.attempts))), ("message", "the sink is made anew; what is not acknowledged is sent again"),
            ])
    }

    private func wait(
        _ decision: RetrySchedule.Decision, for reason: String, lookingForServer: Bool = false, _ fields: [(key: String, value: LogValue)]
    ) throws {
        switch decision {
        case .giveUp: throw HostExit(.unavailable, reason, cure: "retry.give_up_after is over")
        case .wait(let pause):
            context.log.write(.warning, "reconnecting", fields: fields + [("in", .duration(pause)), ("reason", .text(reason))])
            try sleep(pause, lookingForServer: lookingForServer && isServerAway)
        }
    }

    /// - Parameter lookingForServer: ends as soon as the server takes connections again. Pauses grow for the sake of the log and of a server that is there and
    ///   refuses; a database that is back is not kept waiting for half a minute.
    private func sleep(_ duration: Duration, lookingForServer: Bool = false) throws {
        let deadline = monotonicNow() + UInt64(duration.components.seconds) * 1_000_000_000 + UInt64(duration.components.attoseconds / 1_000_000_000)
        var look = monotonicNow() + UInt64.random(in: Self.lookEvery)
        while monotonicNow() < deadline {
            if context.isStopping { throw Stopped() }
            if let fatal = context.fatal { throw fatal }
            whileWaiting?()
            if lookingForServer, monotonicNow() >= look {
                if source.isThere() { return }
                look = monotonicNow() + UInt64.random(in: Self.lookEvery)
            }
            gate.locked { _ = gate.wait(until: min(deadline, monotonicNow() + 250_000_000)) }
        }
    }
}
