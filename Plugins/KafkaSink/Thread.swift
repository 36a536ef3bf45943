import Glibc
import PluginKit

/// A joinable POSIX thread with all signals blocked: they are the host's.
struct Thread {
    private let id: pthread_t

    /// - Parameter name: for the error's text.
    /// - Throws: CDCP_E_FATAL where the system has no thread left.
    init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(StageError) {
        var id = pthread_t()
        let box = Unmanaged.passRetained(Body(body))
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        let status = pthread_create(
            &id, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard status == 0 else {
            box.release()
            throw .fatal("no thread for \(name): errno \(status)")
        }
        self.id = id
    }

    func join() { pthread_join(id, nil) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}

/// The monotonic clock, in nanoseconds.
enum Clock {
    static let second: UInt64 = 1_000_000_000

    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* second &+ UInt64(time.tv_nsec)
    }
}

extension Clock {
    /// Rounded down; 0 when the moment has passed.
    static func milliseconds(until end: UInt64) -> Int32 {
        let now = now()
        return end > now ? Int32(clamping: (end - now) / 1_000_000) : 0
    }

    static func sleep(milliseconds: UInt32) { usleep(milliseconds &* 1000) }
}
