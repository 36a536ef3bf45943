import Chain
import Checkpoint
import Glibc

/// `reload`: HUP to the running host, then its own word on what became of it.
enum ReloadCommand {
    /// A reload waits for the end of the running transaction.
    private static let patience: UInt64 = 600_000_000_000

    static func run(directory: String, state: String?, environment: [String: String]) -> ExitCode {
        RunningHost.with(directory: directory, state: state, environment: environment, request)
    }

    private static func request(_ host: RunningHost) -> ExitCode {
        // One that is under way may have read the files before they were changed; the next to begin has not.
        let ours = host.info.reloadsBegun + 1
        guard kill(host.info.pid, SIGHUP) == 0 else {
            let code = errno
            printError("cdc-host: process \(host.info.pid) cannot be signalled: \(String(cString: strerror(code)))")
            return code == EPERM ? .permission : .unavailable
        }
        let begin = monotonicNow()
        var hasSaid = false
        while monotonicNow() &- begin < patience {
            guard let now = host.refreshed() else {
                printError("cdc-host: the host (process \(host.info.pid)) ended before it answered; its log says why")
                return .unavailable
            }
            if now.reloadNumber > ours {
                printError("cdc-host: reload \(ours) has ended, and another one since; this is what came of reload \(now.reloadNumber)")
            }
            if now.reloadNumber >= ours { return answer(now.reloadResult) }
            if !hasSaid, monotonicNow() &- begin > 5_000_000_000 {
                hasSaid = true
                printError("cdc-host: waiting; the new plan is put in place between two transactions")
            }
            usleep(20_000)
        }
        printError("cdc-host: no answer within \(patience / 60_000_000_000) minutes; the request stands, and the log will say what becomes of it")
        return .temporary
    }

    private static func answer(_ result: LockInfo.ReloadResult) -> ExitCode {
        switch result {
        case .ok(let text):
            print("reloaded: \(text)")
            return .clean
        case .refused(let text):
            // The first part is the reason, the others its details.
            let parts = text.split(separator: " | ", omittingEmptySubsequences: true)
            let reason = parts.first ?? "no reason given"
            print("refused: \(reason)")
            for detail in parts.dropFirst() where detail != reason { print("  \(detail)") }
            print("the running plan goes on")
            return .configuration
        case .none:
            printError("cdc-host: the host counted a reload and says nothing of it")
            return .defect
        }
    }
}
