import Synchronization

/// How often a duration fell under each of a few bounds. Any thread; lock-free. A scrape beside an observation may see the sum a moment
/// before the count, as Prometheus allows.
public final class Histogram: Sendable {
    /// Bounds in seconds for the pause of a reload: the target is 10 ms.
    public static let pauseBounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    let bounds: [Double]
    private let buckets: [Counter]
    private let spent = TimeCounter()

    /// - Parameter bounds: upper bounds in seconds, rising; one more bucket takes the rest.
    init(bounds: [Double]) {
        self.bounds = bounds
        buckets = (0...bounds.count).map { _ in Counter() }
    }

    /// Counts one duration.
    public func observe(_ duration: Duration) {
        let seconds = duration.secondsValue
        buckets[bounds.firstIndex { seconds <= $0 } ?? bounds.count].add()
        spent.add(duration)
    }

    /// How many were counted.
    public var count: UInt64 { buckets.reduce(0) { $0 &+ $1.value } }
    /// The sum of all, in nanoseconds.
    var sumNanoseconds: UInt64 { spent.nanoseconds }
    /// Per bound, how many were at most that long; the last is all.
    var cumulative: [UInt64] {
        var sum: UInt64 = 0
        return buckets.map { bucket in
            sum &+= bucket.value
            return sum
        }
    }
}
