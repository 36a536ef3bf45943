/// How many lines of one event of one stage may pass: `burst` at once, then one each `interval`. A value; the caller brings the time.
struct LogRateLimit {
    /// Keys that are kept; beyond that the ones that are full again go first, then all.
    static let keysMax = 1024

    enum Verdict: Equatable {
        /// Write it; so many before it were not.
        case pass(suppressed: UInt64)
        case drop
    }

    private struct Key: Hashable {
        var event: String
        var stage: String
    }

    private struct Bucket {
        var tokens: Double
        var at: Duration
        var suppressed: UInt64
    }

    let burst: Int
    let interval: Duration
    private var buckets: [Key: Bucket] = [:]

    init(burst: Int, interval: Duration) {
        self.burst = burst
        self.interval = interval
    }

    /// - Parameter now: monotonic.
    mutating func admit(event: String, stage: String, now: Duration) -> Verdict {
        let key = Key(event: event, stage: stage)
        var bucket = buckets[key] ?? Bucket(tokens: Double(burst), at: now, suppressed: 0)
        bucket.tokens = refilled(bucket, now)
        bucket.at = now
        defer {
            if buckets[key] == nil && buckets.count >= Self.keysMax { makeRoom(now) }
            buckets[key] = bucket
        }
        guard bucket.tokens >= 1 else {
            bucket.suppressed &+= 1
            return .drop
        }
        bucket.tokens -= 1
        defer { bucket.suppressed = 0 }
        return .pass(suppressed: bucket.suppressed)
    }

    private func refilled(_ bucket: Bucket, _ now: Duration) -> Double {
        let elapsed = max(0, (now - bucket.at).secondsValue)
        return min(Double(burst), bucket.tokens + elapsed / interval.secondsValue)
    }

    private mutating func makeRoom(_ now: Duration) {
        buckets = buckets.filter { refilled($0.value, now) < Double(burst) }
        if buckets.count >= Self.keysMax { buckets.removeAll(keepingCapacity: true) }
    }
}
