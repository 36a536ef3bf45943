import Chain
import Pipeline
import Settings

/// How one side is tried again: its pauses, and since when it fails. One for each side, so that a source that is well does not hide a sink that is not.
struct Patience {
    private var schedule: RetrySchedule
    private var failedAt: UInt64?

    init(_ settings: RetrySettings) {
        schedule = RetrySchedule(initial: settings.initial, longest: settings.max, giveUpAfter: settings.giveUpAfter)
    }

    /// Failures since it last worked.
    var attempts: Int { schedule.attempts }

    /// An attempt failed now.
    mutating func failed() -> RetrySchedule.Decision {
        let now = monotonicNow()
        let elapsed = failedAt.map { Duration.nanoseconds(Int64(now - $0)) } ?? .zero
        failedAt = now
        return schedule.failed(elapsed: elapsed, chance: Double.random(in: 0..<1))
    }

    /// It works again.
    mutating func succeeded() {
        schedule.succeeded()
        failedAt = nil
    }
}
