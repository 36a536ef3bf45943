import Chain
import Postgres
import Synchronization
import Telemetry

/// Carries what the replication stream brings into the receive queue. Source thread; `confirmed` from any.
final class StreamReceiver: ReplicationReceiver {
    private let queue: ReceiveQueue
    private let context: HostContext
    private let confirmed: ConfirmedPosition
    private var written: UInt64
    private var bytes: UInt64 = 0
    private var heard = true

    init(queue: ReceiveQueue, context: HostContext, confirmed: ConfirmedPosition, start: UInt64) {
        self.queue = queue
        self.context = context
        self.confirmed = confirmed
        written = start
    }

    func received(_ payload: UnsafeRawBufferPointer, at place: WALPlace) -> Flow {
        bytes &+= UInt64(payload.count)
        heard = true
        if place.start.rawValue > written { written = place.start.rawValue }
        return queue.append(.message, payload, lsn: place.start.rawValue) ? .proceed : .pause
    }

    func keepalive(walEnd: LSN, sentAt: Int64, replyRequested: Bool) -> Flow {
        if walEnd.rawValue > written { written = walEnd.rawValue }
        heard = true
        return queue.append(.idle, UnsafeRawBufferPointer(start: nil, count: 0), lsn: walEnd.rawValue) ? .proceed : .pause
    }

    func drained() -> Flow {
        report()
        return queue.publish() ? .proceed : .pause
    }

    func mayProceed() -> Flow {
        // Not listening is not silence.
        heard = true
        report()
        return queue.publish() ? .proceed : .pause
    }

    func progress() -> StandbyProgress {
        let flushed = LSN(rawValue: confirmed.value)
        return StandbyProgress(written: max(LSN(rawValue: written), flushed), flushed: flushed, applied: flushed)
    }

    private func report() {
        guard heard else { return }
        heard = false
        context.metrics.receivedBytes.add(bytes)
        context.metrics.receivedLSN.set(written)
        context.withHealth { $0.heard(.source, at: $1) }
        bytes = 0
    }
}

/// The position that may be told to the server: in the checkpoint, on disk. Any thread.
final class ConfirmedPosition: Sendable {
    private let position = Atomic<UInt64>(0)
    var value: UInt64 { position.load(ordering: .acquiring) }
    func advance(to new: UInt64) { position.max(new, ordering: .releasing) }
}
