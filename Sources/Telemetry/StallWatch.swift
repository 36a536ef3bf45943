/// Tells when a thread has not moved for long, by looks at its beat from outside. Pure.
///
/// A watcher that was itself away for a while (a process stopped by a signal, a machine that slept) has seen nothing: it begins anew.
public struct StallWatch: Sendable {
    /// What a look found.
    public enum Verdict: Equatable, Sendable {
        /// It moves, or has not stood still for long.
        case moves
        /// It stands still for so long; said once.
        case isLong(Duration)
        /// It has stood still for too long.
        case isOver(Duration)
    }

    /// From when on a standstill is worth a line, and from when on it is the end.
    public static let long = Duration.seconds(30), over = Duration.seconds(60)
    /// Looks are this far apart at most, or what lies between does not count.
    public static let gapMax = Duration.seconds(5)

    private var beat: UInt64?
    private var since = Duration.zero
    private var lookedAt: Duration?
    private var isSaid = false

    /// Nothing was seen yet.
    public init() {}

    /// - Parameter beat: of the thread; nil: none is watched.
    public mutating func look(_ beat: UInt64?, at now: Duration) -> Verdict {
        defer { lookedAt = now }
        let wasAway = lookedAt.map { now - $0 > Self.gapMax } ?? true
        guard let beat, beat == self.beat, !wasAway else {
            self.beat = beat
            since = now
            isSaid = false
            return .moves
        }
        let still = now - since
        if still >= Self.over { return .isOver(still) }
        guard still >= Self.long, !isSaid else { return .moves }
        isSaid = true
        return .isLong(still)
    }
}
