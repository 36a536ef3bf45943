import Synchronization

/// A number that only rises. Any thread; lock-free, one atomic addition.
public final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    init() {}

    /// Adds `amount`; wraps at 2⁶⁴ as Prometheus' counters may.
    public func add(_ amount: UInt64 = 1) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    /// The count so far.
    public var value: UInt64 { count.load(ordering: .relaxed) }
}

/// Time that only rises, kept in nanoseconds and shown in seconds. Any thread; lock-free.
public final class TimeCounter: Sendable {
    private let spent = Atomic<UInt64>(0)

    init() {}

    /// Adds a time in nanoseconds.
    public func add(nanoseconds: UInt64) {
        spent.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    /// Adds a duration; a negative one counts as nothing.
    public func add(_ duration: Duration) {
        add(nanoseconds: duration.nanosecondsClamped)
    }

    /// The sum so far, in nanoseconds.
    public var nanoseconds: UInt64 { spent.load(ordering: .relaxed) }
}

extension Duration {
    /// Whole nanoseconds, 0 when negative, at most `UInt64.max`.
    var nanosecondsClamped: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : whole &+ UInt64(attoseconds / 1_000_000_000)
    }

    /// Seconds as a floating-point number.
    var secondsValue: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
