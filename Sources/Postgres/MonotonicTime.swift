internal import Glibc

/// Nanoseconds of the monotonic clock: for deadlines only.
struct MonotonicTime: Comparable, Sendable {
    var nanoseconds: Int64

    static var now: MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

    static func + (left: MonotonicTime, right: Duration) -> MonotonicTime {
        let sum = left.nanoseconds.addingReportingOverflow(right.nanosecondsClamped)
        return MonotonicTime(nanoseconds: sum.overflow ? .max : sum.partialValue)
    }

    static func - (left: MonotonicTime, right: MonotonicTime) -> Duration { .nanoseconds(left.nanoseconds &- right.nanoseconds) }

    /// Milliseconds from now on for `poll`, rounded up so that a deadline has passed when it returns; -1 for no deadline.
    static func pollTimeout(until deadline: MonotonicTime?) -> Int32 {
        guard let deadline else { return -1 }
        let left = deadline.nanoseconds &- now.nanoseconds
        return left <= 0 ? 0 : Int32(clamping: (left &+ 999_999) / 1_000_000)
    }
}

extension Duration {
    /// Whole nanoseconds, at most a century.
    var nanosecondsClamped: Int64 {
        let (seconds, attoseconds) = components
        return min(max(seconds, -3_000_000_000), 3_000_000_000) &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    }

    /// Whole milliseconds, at most a century.
    var millisecondsClamped: Int64 { nanosecondsClamped / 1_000_000 }
}

/// Microseconds since 2000-01-01 by the wall clock, as standby status messages carry them.
func microsecondsSince2000() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return (Int64(time.tv_sec) &- 946_684_800) &* 1_000_000 &+ Int64(time.tv_nsec) / 1_000
}
