import Files
import Glibc
import Telemetry

/// Standard error as the log's output: a terminal, a pipe, a file or journald's socket, which cannot be opened anew by name.
struct StandardError: LogOutput {
    /// Is it a terminal?
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// The terminal's width now, 80 where it is not known.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes all of it; a full pipe that does not block is waited for.
    func write(_ line: [UInt8]) throws(FileError) {
        var rest = line[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var one = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
                // A reader that does not read must not hold the stream: after a second the line is given up.
                if poll(&one, 1, 1000) == 0 { throw FileError(operation: .write, path: "standard error", code: EAGAIN) }
            default: throw FileError(operation: .write, path: "standard error", code: errno)
            }
        }
    }

    /// Nothing: whoever started the process holds the other end.
    func reopen() throws(FileError) {}
}

extension WallTime {
    /// Now, by the system's clock.
    static func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(microseconds: Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000)
    }
}
