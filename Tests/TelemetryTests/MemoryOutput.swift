import Files
import Synchronization
import Telemetry

/// A log output that keeps what it got, and fails when told to.
final class MemoryOutput: LogOutput {
    private struct State {
        var bytes: [UInt8] = []
        var failing = false
        var reopened = 0
    }

    private let state = Mutex(State())

    var text: String { state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }
    var reopened: Int { state.withLock { $0.reopened } }
    func fail(_ failing: Bool) { state.withLock { $0.failing = failing } }

    func write(_ line: [UInt8]) throws(FileError) {
        let failing = state.withLock { state in
            if !state.failing { state.bytes += line }
            return state.failing
        }
        if failing { throw FileError(operation: .write, path: "memory", code: 28) }
    }

    func reopen() throws(FileError) { state.withLock { $0.reopened += 1 } }
}

/// A clock that stands until it is moved.
final class FixedClock: Sendable {
    private let state = Mutex(Duration.zero)
    var now: Duration { state.withLock { $0 } }
    func advance(_ by: Duration) { state.withLock { $0 += by } }
}
