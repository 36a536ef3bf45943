import Glibc

/// The last line of a process in which code faults, or ends the process behind the host's back. A signal handler may do next to nothing: it wakes a
/// thread that has waited for this since the start, which writes the line and ends the process. Should what the fault left behind hold that thread up,
/// the handler ends the process itself.
enum Faults {
    /// What happened, and where.
    struct Fault {
        /// The signal; 0: `exit` was called.
        var signal: Int32
        var thread: UInt

        /// "SIGSEGV", or what else to call it.
        var name: String {
            switch signal {
            case SIGSEGV: "SIGSEGV, an access to memory that is not its own"
            case SIGBUS: "SIGBUS, an access to memory that is not there"
            case SIGILL, SIGTRAP: "a trap"
            case SIGFPE: "SIGFPE, a division by zero or the like"
            case SIGABRT: "abort()"
            default: "exit()"
            }
        }
    }

    private static let signals = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT]
    /// Where a fault is written to.
    // SAFETY: written once, before any handler is installed; a handler may read nothing that needs a lock.
    private nonisolated(unsafe) static var bell: Int32 = -1
    /// From here on the end of the process is the host's own.
    // SAFETY: written by the thread that then leaves `main`, read in its `exit`; another thread's `exit` may read it either way.
    nonisolated(unsafe) static var isOrderly = false

    /// Watches from here on. `report` runs on a thread of its own and ends the process.
    static func watch(_ report: @escaping @Sendable (Fault) -> Never) -> Thread? {
        var ends: (Int32, Int32) = (-1, -1)
        guard withUnsafeMutableBytes(of: &ends, { pipe($0.assumingMemoryBound(to: Int32.self).baseAddress) }) == 0 else { return nil }
        for end in [ends.0, ends.1] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let reading = ends.0
        bell = ends.1
        let thread = Thread("faults") {
            var fault = Fault(signal: 0, thread: 0)
            let size = MemoryLayout<Fault>.size
            while withUnsafeMutableBytes(of: &fault, { read(reading, $0.baseAddress, size) }) != size {}
            report(fault)
        }
        // A stack that overflowed has no room for a handler: the stage thread, which is this one, gets another.
        let size = 64 * 1024
        var stack = stack_t()
        stack.ss_sp = malloc(size)
        stack.ss_size = size
        sigaltstack(&stack, nil)
        for number in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { Faults.ring($0) }
            action.sa_flags = SA_ONSTACK
            sigaction(number, &action, nil)
        }
        atexit { if !Faults.isOrderly { Faults.ring(0) } }
        return thread
    }

    private static func ring(_ signal: Int32) {
        var fault = Fault(signal: signal, thread: UInt(pthread_self()))
        _ = withUnsafeBytes(of: &fault) { write(bell, $0.baseAddress, $0.count) }
        var patience = timespec(tv_sec: 2, tv_nsec: 0)
        nanosleep(&patience, nil)
        _exit(ExitCode.plugin.rawValue)
    }
}
