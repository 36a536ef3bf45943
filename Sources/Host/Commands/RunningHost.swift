import Checkpoint
import Files
import Settings

/// The running host of a plugins.d, as its lock file shows it.
struct RunningHost {
    let stateDirectory: String
    /// The stream's name, from which the lock file has its own.
    let name: String
    let info: LockInfo

    /// Why none was found: exit 69, or the code of what could not be read.
    struct Missing: Error {
        let code: ExitCode
        let message: String
    }

    /// Finds it by `host.yaml`, by `--state`, or as the only one that runs in the state directory: broken files must not hide it.
    static func find(directory: String, state: String?, environment: [String: String]) throws(Missing) -> RunningHost {
        let files = PluginsDirectory.read(path: directory, environment: environment)
        let stateDirectory = state ?? files.settings?.stateDirectory ?? StateDirectory.byDefault(environment)
        let name = files.settings?.name ?? ""
        if !name.isEmpty, let holder = try read(stateDirectory, name), holder.isRunning {
            return try host(stateDirectory, name, holder)
        }
        var running: [(name: String, holder: InstanceLock.Holder)] = []
        for file in (try? FileSystem.list(stateDirectory)) ?? [] where file.hasSuffix(".lock") {
            let other = String(file.dropLast(5))
            guard let holder = try read(stateDirectory, other), holder.isRunning else { continue }
            // Two streams may share a state directory: the one that was started with this plugins.d is meant.
            let isMeant = holder.info.flatMap { ProcessArguments(pid: $0.pid) }?.runs(directory) ?? !files.isUsable
            if isMeant { running.append((other, holder)) }
        }
        if running.count == 1, let only = running.first {
            printError("cdc-host: \(directory) does not name the stream that runs with it, \(only.name)")
            return try host(stateDirectory, only.name, only.holder)
        }
        if running.count > 1 {
            let names = running.map(\.name).joined(separator: ", ")
            throw Missing(
                code: .configuration, message: "several hosts run with \(stateDirectory) (\(names)), and \(directory) does not say which is meant")
        }
        guard FileSystem.exists(directory) else { throw Missing(code: .configuration, message: "\(directory): there is no such directory") }
        let hint = state == nil && !files.isUsable ? "; its host file has errors, so say where with --state DIR" : ""
        throw Missing(
            code: .unavailable, message: "no host runs\(name.isEmpty ? "" : " for the stream \(name)") (no lock is held in \(stateDirectory))\(hint)")
    }

    /// The same for a command: what hinders it is said on standard error, and `body` makes the exit code otherwise.
    static func with(
        directory: String, state: String?, environment: [String: String], _ body: (RunningHost) -> ExitCode
    ) -> ExitCode {
        do throws(Missing) { return body(try find(directory: directory, state: state, environment: environment)) } catch {
            printError("cdc-host: \(error.message)")
            return error.code
        }
    }

    private static func read(_ directory: String, _ name: String) throws(Missing) -> InstanceLock.Holder? {
        do throws(CheckpointError) { return try InstanceLock.read(directory: directory, name: name) } catch {
            throw Missing(code: ErrorPolicy.exit(error).code, message: error.description)
        }
    }

    private static func host(_ directory: String, _ name: String, _ holder: InstanceLock.Holder) throws(Missing) -> RunningHost {
        guard let info = holder.info else {
            throw Missing(code: .temporary, message: "the host of the stream \(name) is still starting; ask again in a moment")
        }
        return RunningHost(stateDirectory: directory, name: name, info: info)
    }

    /// What the lock says now; nil: no host runs any more, or another one.
    func refreshed() -> LockInfo? {
        guard let holder = try? InstanceLock.read(directory: stateDirectory, name: name), holder.isRunning else { return nil }
        guard let fresh = holder.info else { return info }
        return fresh.pid == info.pid ? fresh : nil
    }
}
