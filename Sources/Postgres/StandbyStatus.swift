/// How far the host has come, as the walsender wants to know it. Positions never move back; `flushed` never passes `written`.
public struct StandbyProgress: Sendable, Equatable {
    /// Received up to here.
    public var written: LSN
    /// Durable up to here: acknowledged by the sink and in the checkpoint. The server forgets everything before.
    public var flushed: LSN
    /// The same as `flushed` for this host.
    public var applied: LSN

    /// Makes a progress report.
    public init(written: LSN, flushed: LSN, applied: LSN) {
        self.written = written
        self.flushed = flushed
        self.applied = applied
    }

    /// The report that may be sent after `earlier`: monotonic in each position, `applied` ≤ `flushed` ≤ `written`.
    func following(_ earlier: StandbyProgress) -> StandbyProgress {
        let flushed = max(earlier.flushed, flushed)
        let written = max(earlier.written, max(self.written, flushed))
        return StandbyProgress(written: written, flushed: flushed, applied: max(earlier.applied, min(applied, flushed)))
    }
}

/// Decides when a standby status is due. Pure: time and progress come in, decisions go out.
struct StandbySchedule {
    /// At the latest after this long, whatever happens.
    let interval: Duration
    /// A moved `flushed` is reported at most this often.
    static let flushInterval = Duration.seconds(1)

    private(set) var sent = StandbyProgress(written: .zero, flushed: .zero, applied: .zero)
    private var sentAt: MonotonicTime

    /// `interval` is cut to 40 % of the server's timeout, so that one lost wake-up does not cost the link.
    init(interval: Duration, walSenderTimeout: Duration?, now: MonotonicTime) {
        let limit = walSenderTimeout.map { $0 * 2 / 5 } ?? interval
        self.interval = max(.milliseconds(10), min(interval, limit))
        sentAt = now + .zero
    }

    /// Whether to send now.
    func isDue(_ progress: StandbyProgress, now: MonotonicTime) -> Bool {
        now >= sentAt + (progress.flushed > sent.flushed ? min(interval, StandbySchedule.flushInterval) : interval)
    }

    /// When `isDue` turns true if nothing moves.
    func deadline(_ progress: StandbyProgress) -> MonotonicTime {
        sentAt + (progress.flushed > sent.flushed ? min(interval, StandbySchedule.flushInterval) : interval)
    }

    /// Takes note of a status that goes out, and gives what it may say.
    mutating func sending(_ progress: StandbyProgress, now: MonotonicTime) -> StandbyProgress {
        sent = progress.following(sent)
        sentAt = now
        return sent
    }
}
