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
    /// Bytes a second from which on a window counts as busy.
    static let busyRate: Int64 = 8_000_000
    /// Busy windows before the first sleep, and the most that are remembered.
    static let enough = 2, remembered = 4

    /// How long to sleep.
    let nap: Duration
    private var windowStart: MonotonicTime
    private var bytes: Int64 = 0
    private var busyWindows = 0

    init(isTCP: Bool, now: MonotonicTime) {
        nap = isTCP ? .milliseconds(5) : .microseconds(300)
        windowStart = now
    }

    /// Takes note of a message.
    mutating func received(_ count: Int) { bytes &+= Int64(count) }

    /// Asked when the socket is dry: whether to sleep before reading on.
    mutating func shouldNap(now: MonotonicTime) -> Bool {
        let elapsed = now.nanoseconds &- windowStart.nanoseconds
        if elapsed >= GatherRule.window.nanosecondsClamped {
            // bytes / elapsed >= rate, in nanoseconds.
            let busy = bytes &* 1_000 >= GatherRule.busyRate / 1_000_000 &* elapsed
            busyWindows = busy ? min(busyWindows + 1, GatherRule.remembered) : max(busyWindows - 1, 0)
            bytes = 0
            windowStart = now
        }
        return busyWindows >= GatherRule.enough
    }
}
