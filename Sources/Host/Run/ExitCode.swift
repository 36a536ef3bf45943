/// The exit codes of docs/operations.md; systemd's RestartPreventExitStatus lists those that a restart does not cure.
enum ExitCode: Int32, Sendable {
    /// A clean stop: nothing will be repeated.
    case clean = 0
    /// The command line is wrong.
    case usage = 64
    /// Something that cannot be decoded, masked, encoded or delivered. Not to be restarted by itself.
    case data = 65
    /// Source or broker unreachable beyond `retry.give_up_after`.
    case unavailable = 69
    /// A defect of the host.
    case defect = 70
    /// The checkpoint or another file of the state directory cannot be read or written.
    case io = 74
    /// Restart me.
    case temporary = 75
    /// Authentication or permission. Not to be restarted by itself.
    case permission = 77
    /// Configuration. Not to be restarted by itself.
    case configuration = 78
    /// The slot is missing, lost, recreated or of another cluster. Not to be restarted by itself.
    case slot = 80
    /// A plugin was refused, or broke the contract. Not to be restarted by itself.
    case plugin = 81
    /// Another instance holds the lock or the slot. Not to be restarted by itself.
    case held = 82
}

/// The end of the process: its code, and the last line of the log (what, where, why, what to do).
struct HostExit: Error, Sendable {
    let code: ExitCode
    let reason: String
    /// What to do about it; may be empty.
    var cure: String = ""

    init(_ code: ExitCode, _ reason: String, cure: String = "") {
        self.code = code
        self.reason = reason
        self.cure = cure
    }
}
