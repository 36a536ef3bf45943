import Glibc

/// INT, TERM and HUP as something to ask for. Blocked before any other thread starts, so that the libraries' threads keep them blocked as well;
/// used by the main thread alone.
struct StopSignals {
    private var set = sigset_t()
    /// How many have come so far; the second one means: at once.
    private(set) var count = 0

    init() {
        sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, number) }
        sigprocmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Takes what has come and waits up to `milliseconds` for more.
    mutating func wait(milliseconds: Int) {
        var limit = timespec(tv_sec: milliseconds / 1000, tv_nsec: (milliseconds % 1000) * 1_000_000)
        while sigtimedwait(&set, nil, &limit) > 0 {
            count += 1
            limit = timespec()
        }
    }
}
