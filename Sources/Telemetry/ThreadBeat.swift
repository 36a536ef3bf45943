import Synchronization

/// The sign of life of one thread: it beats whenever it goes round its loop. Lock-free.
public final class ThreadBeat: Sendable {
    /// The thread's name, for `/healthz`.
    public let name: String
    private let lastMilliseconds: Atomic<UInt64>

    init(name: String, now: Duration) {
        self.name = name
        lastMilliseconds = Atomic(Self.milliseconds(now))
    }

    /// The thread is alive at `now` (monotonic, the same clock as `Health`'s callers).
    public func beat(at now: Duration) { lastMilliseconds.store(Self.milliseconds(now), ordering: .relaxed) }

    /// When it last beat, as a number that changes with each beat.
    public var last: UInt64 { lastMilliseconds.load(ordering: .relaxed) }

    func age(at now: Duration) -> Duration {
        let current = Self.milliseconds(now)
        let last = lastMilliseconds.load(ordering: .relaxed)
        return .milliseconds(Int64(clamping: current > last ? current - last : 0))
    }

    private static func milliseconds(_ time: Duration) -> UInt64 { time.nanosecondsClamped / 1_000_000 }
}
