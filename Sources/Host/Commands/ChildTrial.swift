import Files
import Glibc

/// Runs a child to its end, and tells what a crash or a hang was about.
enum ChildTrial {
    /// A child that did not come to its end.
    struct Accident {
        /// The stage or file that was at work; empty: none yet.
        let stage: String
        let message: String
        let code: ExitCode
    }

    /// - Returns: nil when it did everything.
    static func run(_ command: InnerCommand, report: (ChildReport) -> Void) -> Accident? {
        let temporary = TemporaryHome()
        defer { temporary?.remove() }
        // A crash is told in one line of ours; a dump of registers helps nobody here.
        setenv("SWIFT_BACKTRACE", "enable=no", 1)
        guard let child = ChildProcess(command.arguments) else {
            return Accident(stage: "", message: "no process for it: \(String(cString: strerror(errno)))", code: .temporary)
        }
        var at = (stage: "", what: "starts", seconds: 10)
        var isDone = false
        let ending = child.run(allowance: { at.seconds * 1000 }) { line in
            guard let message = ChildReport(line: line) else { return }
            switch message {
            case .at(let stage, let what, let seconds): at = (stage, what, seconds)
            case .done: isDone = true
            default: report(message)
            }
        }
        switch ending {
        case .hung:
            let when = isDone ? "when its process was to end" : "while it \(at.what)"
            return Accident(stage: at.stage, message: "hung for \(at.seconds) seconds \(when); it would stop the host", code: .plugin)
        case .killed(let signal):
            let when = isDone ? "when its process was to end" : "while it \(at.what)"
            return Accident(
                stage: at.stage, message: "crashed with signal \(signal) (\(name(signal))) \(when); it would take the host with it", code: .plugin)
        case .exited(let code) where !isDone:
            return Accident(stage: at.stage, message: "ended the process with code \(code) while it \(at.what); it would end the host", code: .plugin)
        case .exited: return nil
        }
    }

    private static func name(_ signal: Int32) -> String { strsignal(signal).map { String(cString: $0) } ?? "?" }
}

/// A directory for a child's private copies, so that one that dies leaves nothing behind.
private struct TemporaryHome {
    private let path: String

    /// nil: the child finds a place itself.
    init?() {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((base + "/cdc-host-check-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else { return nil }
        path = String(cString: made)
        previous = getenv("TMPDIR").map { String(cString: $0) }
        setenv("TMPDIR", path, 1)
    }

    private let previous: String?

    func remove() {
        if let previous { setenv("TMPDIR", previous, 1) } else { unsetenv("TMPDIR") }
        for inner in (try? FileSystem.list(path)) ?? [] {
            let directory = FilePath.join(path, inner)
            for name in (try? FileSystem.list(directory)) ?? [] { _ = unlink(FilePath.join(directory, name)) }
            _ = rmdir(directory)
        }
        _ = rmdir(path)
    }
}
