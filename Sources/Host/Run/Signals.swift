import Chain
import Glibc
import Synchronization

/// Signals as calls: blocked in every thread, taken by one that waits for them.
enum Signals {
    private static let taken = [SIGTERM, SIGINT, SIGHUP, SIGUSR1]

    /// Before any other thread is started. PIPE is ignored: a closed socket is an error of a write.
    static func block() {
        signal(SIGPIPE, SIG_IGN)
        var set = mask()
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    private static func mask() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in taken { sigaddset(&set, number) }
        return set
    }

    /// Handles signals until the process ends; `tick` runs about four times a second.
    static func listen(_ handle: @escaping @Sendable (Int32) -> Void, tick: @escaping @Sendable () -> Void) -> Thread {
        Thread("signals") {
            var set = mask()
            while true {
                var pause = timespec(tv_sec: 0, tv_nsec: 250_000_000)
                var information = siginfo_t()
                let number = sigtimedwait(&set, &information, &pause)
                if number > 0 { handle(number) }
                tick()
            }
        }
    }
}

/// Where a HUP goes, also one that comes before there is anything to reload.
final class SignalDesk: Sendable {
    private struct State {
        var reloader: Reloader?
        var wasAsked = false
    }

    private let state = Mutex(State())

    func attach(_ reloader: Reloader) {
        let wasAsked = state.withLock { state in
            state.reloader = reloader
            return state.wasAsked
        }
        if wasAsked { reloader.request() }
    }

    func reload() {
        let reloader = state.withLock { state in
            state.wasAsked = state.reloader == nil
            return state.reloader
        }
        reloader?.request()
    }
}
