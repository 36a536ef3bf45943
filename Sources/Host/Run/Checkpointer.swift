import Chain
import Checkpoint
import Pipeline
import Synchronization
import Telemetry

/// Writes what is acknowledged to disk, and only then lets it be confirmed to the server. One thread of its own; `enter` and `saveNow` from the
/// stage thread.
final class Checkpointer: Sendable {
    /// A kill repeats at most what was acknowledged in this time, and what was in flight.
    static let interval: UInt64 = 200_000_000

    let confirmed = ConfirmedPosition()
    private let store: CheckpointStore
    private let context: HostContext
    private let state: Mutex<State>
    private let stopped = Atomic<Bool>(false)

    private struct State {
        var record: CheckpointRecord?
        var savedAt: UInt64?
        var failure: CheckpointError?
        /// Acknowledgements move the record; not while a snapshot is read.
        var follows = false
    }

    init(store: CheckpointStore, record: CheckpointRecord?, context: HostContext) {
        self.store = store
        self.context = context
        state = Mutex(State(record: record))
        context.metrics.checkpointAge { [weak self] in
            guard let at = self?.state.withLock({ $0.savedAt }) else { return nil }
            return .nanoseconds(Int64(monotonicNow() - at))
        }
    }

    var record: CheckpointRecord? { state.withLock { $0.record } }
    /// A write that failed: exit 74.
    var failure: CheckpointError? { state.withLock { $0.failure } }

    /// Writes a record that something other than an acknowledgement changed.
    /// - Parameter follows: whether acknowledgements move it from now on.
    func enter(_ record: CheckpointRecord, follows: Bool) throws(CheckpointError) {
        try state.withLock { (state: inout State) throws(CheckpointError) in
            try save(record, &state)
            state.follows = follows
        }
        if follows { confirmed.advance(to: record.position) }
    }

    /// Forgets the stream, for a start that was cut short.
    func remove() throws(CheckpointError) {
        try state.withLock { (state: inout State) throws(CheckpointError) in
            try store.remove()
            state.record = nil
            state.follows = false
        }
    }

    /// Follows `inFlight` until `stop`. Calls `failed` (any thread) when the disk refuses.
    func follow(_ inFlight: InFlight, failed: @escaping @Sendable () -> Void) -> Thread {
        Thread("checkpoint") { [self] in
            while !stopped.load(ordering: .relaxed) {
                let mark = inFlight.gate.locked { () -> StreamMark in
                    if inFlight.durableLocked.position == confirmed.value { _ = inFlight.gate.wait(until: monotonicNow() + 500_000_000) }
                    return inFlight.durableLocked
                }
                do throws(CheckpointError) {
                    _ = try advance(to: mark)
                    // Moved or not (a snapshot moves nothing): the next look is never at once.
                    pause(Self.interval)
                } catch {
                    failed()
                    return
                }
            }
        }
    }

    /// The last word before a clean stop.
    func saveNow(_ mark: StreamMark) throws(CheckpointError) { _ = try advance(to: mark) }

    func stop() { stopped.store(true, ordering: .relaxed) }

    private func advance(to mark: StreamMark) throws(CheckpointError) -> Bool {
        let moved = try state.withLock { (state: inout State) throws(CheckpointError) in
            guard state.follows, state.failure == nil, var record = state.record, mark.position > record.position else { return false }
            record.position = mark.position
            record.lastCommitEnd = max(record.lastCommitEnd, mark.lastCommitEnd)
            try save(record, &state)
            // Before another thread can see the record: a stop that finds it saved already sends the last status at once.
            confirmed.advance(to: mark.position)
            return true
        }
        if moved {
            context.metrics.acknowledgedLSN.set(mark.position)
            context.metrics.confirmedLSN.set(mark.position)
        }
        return moved
    }

    private func save(_ record: CheckpointRecord, _ state: inout State) throws(CheckpointError) {
        var record = record
        record.writtenAtMicroseconds = WallTime.now().microseconds
        do throws(CheckpointError) { try store.save(record) } catch {
            state.failure = error
            throw error
        }
        state.record = record
        state.savedAt = monotonicNow()
    }
}

/// Sleeps, not to be woken.
func pause(_ nanoseconds: UInt64) {
    let gate = Gate()
    let deadline = monotonicNow() + nanoseconds
    gate.locked { while gate.wait(until: deadline) {} }
}
