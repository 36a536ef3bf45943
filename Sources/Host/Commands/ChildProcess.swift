import Chain
import Glibc

/// This program once more, as a child whose report comes through descriptor 3. What a plugin does to it, it does not do to us.
final class ChildProcess {
    /// The child writes its lines here.
    static let reportDescriptor: Int32 = 3

    enum Ending: Equatable {
        case exited(Int32)
        /// By the number of the signal.
        case killed(Int32)
        /// It said nothing for longer than it was allowed, and was killed.
        case hung
    }

    private let pid: pid_t
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    /// Starts it; nil where the system refuses. Its standard output is our standard error: it must not speak in our place.
    init?(_ arguments: [String]) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], Self.reportDescriptor)
        var argv = (["cdc-host"] + arguments).map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, "/proc/self/exe", &actions, nil, &argv, environ)
        close(ends[1])
        guard code == 0 else {
            close(ends[0])
            return nil
        }
        pid = child
        descriptor = ends[0]
    }

    deinit { close(descriptor) }

    /// Reads lines until the child ends.
    /// - Parameter allowance: how long it may be silent, in milliseconds; asked anew after each line.
    func run(allowance: () -> Int, line: (String) -> Void) -> Ending {
        var deadline = monotonicNow() &+ UInt64(allowance()) &* 1_000_000
        while true {
            let now = monotonicNow()
            guard now < deadline else {
                kill(pid, SIGKILL)
                _ = reap()
                return .hung
            }
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&watched, 1, Int32(clamping: (deadline - now) / 1_000_000 + 1))
            guard ready > 0 else { continue }
            var chunk = [UInt8](repeating: 0, count: 16384)
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return ended(by: deadline) }
            buffer += chunk[..<count]
            while let end = buffer.firstIndex(of: 10) {
                line(String(decoding: buffer[..<end], as: UTF8.self))
                buffer.removeSubrange(...end)
                deadline = monotonicNow() &+ UInt64(allowance()) &* 1_000_000
            }
        }
    }

    /// Its end of the pipe is closed; the process itself may still hang in an exit handler.
    private func ended(by deadline: UInt64) -> Ending {
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            if monotonicNow() >= deadline {
                kill(pid, SIGKILL)
                _ = reap()
                return .hung
            }
            usleep(2000)
        }
        return Self.ending(status)
    }

    private func reap() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    private static func ending(_ status: Int32) -> Ending {
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal)
    }
}
