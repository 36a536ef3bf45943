import Synchronization

/// A value of a metric: whole numbers are shown to the last digit, so that log positions stay exact.
public enum MetricValue: Sendable, Equatable {
    /// A whole number.
    case whole(UInt64)
    /// A whole number that may be negative.
    case signed(Int64)
    /// Anything else.
    case real(Double)
}

/// A whole number that moves both ways. Any thread; lock-free.
public final class Gauge: Sendable {
    private let current = Atomic<UInt64>(0)

    init() {}

    /// Sets the value: bytes, a log position, 0 or 1.
    public func set(_ value: UInt64) { current.store(value, ordering: .relaxed) }
    /// Raises the value unless it is higher already.
    public func raise(to value: UInt64) { current.max(value, ordering: .relaxed) }
    /// The value now.
    public var value: UInt64 { current.load(ordering: .relaxed) }
}

/// A fraction or a time that moves both ways. Any thread; lock-free.
public final class RealGauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    init() {}

    /// Sets the value.
    public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    /// The value now.
    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}
