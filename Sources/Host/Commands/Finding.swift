import Settings

/// One thing that `check` has looked at, and what came of it. Never holds a secret.
struct Finding: Equatable, Sendable {
    enum Verdict: String, Sendable {
        case ok, warning, error
    }

    let verdict: Verdict
    /// What the program would end with because of it; `clean` for everything that is no error.
    let code: ExitCode
    /// As it is printed; begins with `FILE:LINE:COLUMN: key.path:` where a line of the configuration is to blame.
    let line: String

    init(_ verdict: Verdict, code: ExitCode, line: String) {
        self.verdict = verdict
        self.code = code
        self.line = line
    }

    static func ok(_ subject: String, _ message: String) -> Finding { Finding(.ok, code: .clean, line: "ok: \(subject): \(message)") }

    static func warning(_ subject: String, _ message: String, cure: String = "") -> Finding {
        Finding(.warning, code: .clean, line: "warning: \(subject): \(message)" + suffix(cure))
    }

    static func error(_ code: ExitCode, _ subject: String, _ message: String, cure: String = "") -> Finding {
        Finding(.error, code: code, line: "error: \(subject): \(message)" + suffix(cure))
    }

    /// What the configuration's files are to blame for.
    static func problem(_ problem: Problem, code: ExitCode = .configuration) -> Finding {
        problem.severity == .error
            ? Finding(.error, code: code, line: problem.description) : Finding(.warning, code: .clean, line: problem.description)
    }

    private static func suffix(_ cure: String) -> String { cure.isEmpty ? "" : "; " + cure }

    /// The exit code of the worst of them.
    static func worst(_ findings: [Finding]) -> ExitCode {
        let rank: [ExitCode] = [.clean, .unavailable, .configuration, .data, .permission, .held, .slot, .plugin, .io, .defect]
        return findings.map(\.code).max { (rank.firstIndex(of: $0) ?? rank.count) < (rank.firstIndex(of: $1) ?? rank.count) } ?? .clean
    }
}
