/// Whether, and how long, to let bytes gather in the kernel before reading on.
///
/// The walsender sends each row by itself. A reader that wakes for each one makes both sides pay a trip through the kernel a row; one that sleeps a
/// moment under load lets rows come together. On TCP the receive window closes meanwhile, and the server's kernel joins rows into large segments:
/// that takes milliseconds. A Unix socket holds some hundred rows and then stops the walsender: there the sleep must stay below the time to fill
/// it. The sleep is wrong for a trickle and for a short burst, where it would be all latency: so it takes two busy windows in a row, and some calm
/// to end.
struct GatherRule {
    /// Load is judged over windows of at least this length.
    static let window = Duration.milliseconds(5)
    /// Bytes a second from which on a window counts as busy, and from which on as heavy. The lower one is what a link brings on a machine that is short
    /// of processors while each row wakes its reader: from there on rows must come together, or the link would stay at that rate for ever.
    static let busyRate: Int64 = 250_000, heavyRate: Int64 = 8_000_000
    /// Busy windows before the first sleep, and the most that are remembered.
    static let enough = 2, remembered = 12

    /// How long to sleep under load, and under heavy load.
    let shortNap: Duration, longNap: Duration
    private var windowStart: MonotonicTime
    private var bytes: Int64 = 0
    private var busyWindows = 0
    private var heavyWindows = 0

    init(isTCP: Bool, now: MonotonicTime) {
        longNap = isTCP ? .milliseconds(5) : .microseconds(300)
        shortNap = isTCP ? .microseconds(800) : .microseconds(300)
        windowStart = now
    }

    /// Takes note of a message.
    mutating func received(_ count: Int) { bytes &+= Int64(count) }

    /// Asked when the socket is dry: how long to sleep before reading on, nil: not at all.
    mutating func nap(now: MonotonicTime) -> Duration? {
        let elapsed = now.nanoseconds &- windowStart.nanoseconds
        if elapsed >= GatherRule.window.nanosecondsClamped {
            // A long gap is a pause (back-pressure, or a processor given to somebody else) and no evidence of calm: calm shows in short windows too.
            if elapsed < GatherRule.window.nanosecondsClamped &* 4 {
                // bytes / elapsed >= rate, in nanoseconds.
                GatherRule.count(&busyWindows, bytes &* 1_000 >= GatherRule.busyRate / 1_000 &* (elapsed / 1_000))
                GatherRule.count(&heavyWindows, bytes &* 1_000 >= GatherRule.heavyRate / 1_000 &* (elapsed / 1_000))
            }
            bytes = 0
            windowStart = now
        }
        if heavyWindows >= GatherRule.enough { return longNap }
        return busyWindows >= GatherRule.enough ? shortNap : nil
    }

    private static func count(_ windows: inout Int, _ more: Bool) {
        windows = more ? min(windows + 1, GatherRule.remembered) : max(windows - 1, 0)
    }
}
