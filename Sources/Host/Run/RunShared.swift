import Chain
import Postgres
import Synchronization

/// What other threads may see of a run.
final class RunShared: Sendable {
    private struct State {
        var lane: Lane?
        var inFlight: InFlight?
        var isStreaming = false
        var leftOut: [String] = []
        var connecting: Interrupt?
        var letGo: (@Sendable (PostgresError) -> Void)?
    }

    /// Progress of the snapshot, for `/status`.
    struct SnapshotStatus: Sendable {
        var fraction: Double
        var rows: Int
        var rowsPerSecond: Double
        var isComplete: Bool
    }

    private let state = Mutex(State())

    func attach(lane: Lane, inFlight: InFlight) {
        state.withLock {
            $0.lane = lane
            $0.inFlight = inFlight
        }
    }

    var lane: Lane? { state.withLock { $0.lane } }
    var inFlight: InFlight? { state.withLock { $0.inFlight } }
    /// The lane runs: a stop waits for its boundary.
    var isStreaming: Bool {
        get { state.withLock { $0.isStreaming } }
        set { state.withLock { $0.isStreaming = newValue } }
    }
    /// Of the connection of a stream or a snapshot: what a stop ends that cannot wait.
    var connecting: Interrupt? {
        get { state.withLock { $0.connecting } }
        set { state.withLock { $0.connecting = newValue } }
    }
    /// Ends the stream's connection as if it had broken with this error; nil: there is none.
    var letGo: (@Sendable (PostgresError) -> Void)? {
        get { state.withLock { $0.letGo } }
        set { state.withLock { $0.letGo = newValue } }
    }
    var leftOut: [String] {
        get { state.withLock { $0.leftOut } }
        set { state.withLock { $0.leftOut = newValue } }
    }
}
