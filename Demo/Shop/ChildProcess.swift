import Glibc

/// A process that the demo started and ends by its number. It has a process group of its own, so that Ctrl-C on the terminal reaches the demo alone,
/// and the kernel ends it should the demo be killed.
final class ChildProcess {
    /// Where the three standard streams go; the descriptors stay the caller's.
    struct Streams {
        var input: Int32
        var output: Int32
        var error: Int32
    }

    let name: String
    let pid: pid_t
    private var ended: Int32?

    /// - Parameters:
    ///   - user: run as this user; only root can.
    ///   - lastSignal: what it gets from the kernel when the demo dies, as setpriv names it.
    ///   - directory: its working directory, when not the demo's.
    init(
        name: String, command: [String], user: String? = nil, lastSignal: String = "TERM", environment: [String: String], directory: String? = nil,
        streams: Streams
    ) throws(ShopError) {
        var words = ["setpriv", "--pdeathsig", lastSignal]
        if let user { words += ["--reuid", user, "--regid", user, "--init-groups"] }
        words.append("--")
        if let directory { words += ["env", "--chdir=\(directory)"] }
        words += command

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, streams.input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, streams.output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, streams.error, STDERR_FILENO)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)

        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var number: pid_t = 0
        let failure = posix_spawnp(&number, "setpriv", &actions, &attributes, &arguments, &variables)
        guard failure == 0 else { throw ShopError("\(name) cannot be started (setpriv of util-linux: \(SystemText.of(failure)))") }
        self.name = name
        pid = number
    }

    /// Nil while it runs; then its exit code, or 128 and the signal's number.
    var exitCode: Int32? {
        if let ended { return ended }
        var status: Int32 = 0
        let answer = waitpid(pid, &status, WNOHANG)
        guard answer != 0 else { return nil }
        if answer < 0 && errno == EINTR { return nil }
        let signal = status & 0x7f
        let code = answer < 0 ? -1 : signal == 0 ? (status >> 8) & 0xff : 128 + signal
        ended = code
        return code
    }

    /// Sends the signal and waits; after `seconds`, or when somebody is in a hurry, it is killed.
    /// - Returns: the exit code.
    /// - Throws: `ShopError` when it had to be killed.
    @discardableResult
    func stop(_ signal: Int32, within seconds: Double, _ session: Session) throws(ShopError) -> Int32 {
        if let exitCode { return exitCode }
        kill(pid, signal)
        let deadline = Moment.now + seconds
        while Moment.now < deadline && !session.hurry {
            if let exitCode { return exitCode }
            session.pause(milliseconds: 20)
        }
        if let exitCode { return exitCode }
        kill(pid, SIGKILL)
        while exitCode == nil { session.pause(milliseconds: 20) }
        throw ShopError("\(name) did not stop in time and was killed")
    }

    /// Waits for a command that ends by itself.
    /// - Throws: `Interrupted` at a signal.
    func finish(within seconds: Double, _ session: Session) throws -> Int32? {
        do {
            return try session.wait(seconds: seconds) { exitCode }
        } catch {
            kill(pid, SIGKILL)
            while exitCode == nil { session.pause(milliseconds: 20) }
            throw error
        }
    }
}

/// The system's words for an errno.
enum SystemText {
    static func of(_ code: Int32) -> String { strerror(code).map { String(cString: $0) } ?? "error \(code)" }
}
