import Glibc
import Chain
import Checkpoint
import Files
import PluginABI
import PluginLoader
import Postgres
import Settings
import Synchronization
import Telemetry

/// Reads plugins.d again and puts the new plan in the place of the running one, between two transactions; or refuses and says why.
/// One reload at a time, on a thread of its own; requests that come meanwhile become one more.
final class Reloader: @unchecked Sendable {
    // SAFETY: `assembled`, `settings` and `generation` are the reload thread's, and read by others under the mutex of `last`.
    private let context: HostContext
    private let bridge: HostBridge
    private let loader: PluginLoader
    private let shared: RunShared
    private let checkpointer: Checkpointer
    private let lock: InstanceLock
    private let adminAddress: String
    private let environment: [String: String]
    private let state: Mutex<State>
    private let gate = Gate()
    /// Ends a look at the server that a stop cannot wait for.
    private let interrupt: Interrupt
    private let requests = Atomic<Int>(0)

    private struct State: @unchecked Sendable {
        // SAFETY: instances inside are handed over by Plan's own rule.
        var assembled: AssembledPlan
        var settings: HostSettings
        var generation = 1
        var begun = 0
        var number = 0
        var last: LockInfo.ReloadResult = .none
        var lastAt: WallTime?
    }

    init(
        context: HostContext, bridge: HostBridge, loader: PluginLoader, shared: RunShared, checkpointer: Checkpointer, lock: InstanceLock, adminAddress: String,
        environment: [String: String], assembled: AssembledPlan
    ) throws {
        interrupt = try Interrupt()
        self.context = context
        self.bridge = bridge
        self.loader = loader
        self.shared = shared
        self.checkpointer = checkpointer
        self.lock = lock
        self.adminAddress = adminAddress
        self.environment = environment
        state = Mutex(State(assembled: assembled, settings: context.settings))
        context.onStop { [interrupt] _ in interrupt.interrupt() }
    }

    /// What runs, for `/status`.
    var running: (assembled: AssembledPlan, generation: Int, reloads: Int, last: LockInfo.ReloadResult, at: WallTime?) {
        state.withLock { ($0.assembled, $0.generation, $0.number, $0.last, $0.lastAt) }
    }

    /// HUP. Any thread.
    func request() {
        requests.wrappingAdd(1, ordering: .relaxed)
        gate.locked { gate.broadcast() }
    }

    /// Serves requests until the process ends.
    func start() -> Thread {
        Thread("reload") { [self] in
            while !context.isStopping {
                let pending = requests.exchange(0, ordering: .relaxed) > 0
                if pending { serve() } else { gate.locked { _ = gate.wait(until: monotonicNow() + 250_000_000) } }
            }
        }
    }

    /// Writes the lock file's first words.
    func announce() { writeLock() }

    private struct Refusal: Error {
        let reason: String
        var details: [String] = []
    }

    private func serve() {
        // Before the files are read: who asked for a reload knows by it which one has seen them.
        state.withLock { $0.begun += 1 }
        writeLock()
        do throws(Refusal) {
            let (changes, pause) = try reload()
            finish(.ok(changes.isEmpty ? "nothing changed" : changes.joined(separator: ", ")))
            context.metrics.reloadsOK.add()
            context.metrics.reloadPause.observe(.nanoseconds(Int64(pause)))
            showPlugins()
            context.log.info(
                "reloaded",
                ["generation": .number(Int64(state.withLock { $0.generation })), "changed": .list(changes), "pause": .duration(.nanoseconds(Int64(pause)))])
        } catch {
            finish(.refused(([error.reason] + error.details).joined(separator: " | ")))
            context.metrics.reloadsRefused.add()
            for detail in error.details { context.log.error("reload_problem", ["message": .text(detail)]) }
            context.log.error("reload_refused", ["reason": .text(error.reason), "message": "the running plan goes on"])
        }
    }

    private func finish(_ result: LockInfo.ReloadResult) {
        state.withLock {
            $0.number += 1
            $0.last = result
            $0.lastAt = .now()
        }
        writeLock()
    }

    private func writeLock() {
        let info = state.withLock {
            LockInfo(pid: getpid(), version: hostVersion, adminAddress: adminAddress, reloadsBegun: $0.begun, reloadNumber: $0.number, reloadResult: $0.last)
        }
        do throws(CheckpointError) { try lock.update(info) } catch {
            context.log.warning("lock_file", ["message": .text(error.description)])
        }
    }

    func showPlugins() {
        let assembled = state.withLock { $0.assembled }
        context.metrics.setPlugins(
            assembled.stages.map {
                PluginInfo(
                    stage: $0.instance.name, plugin: $0.instance.code.id, version: $0.instance.code.version, sha256: $0.instance.code.sha256,
                    generation: UInt64($0.instance.generation))
            })
    }

    /// - Returns: what changed, and how long the stream stood still (nanoseconds).
    private func reload() throws(Refusal) -> ([String], UInt64) {
        let directory = PluginsDirectory.read(path: context.directory, environment: environment)
        let (old, oldSettings, generation) = state.withLock { ($0.assembled, $0.settings, $0.generation + 1) }
        let errors = directory.problems.filter { $0.severity == .error }.map(\.description)
        guard errors.isEmpty, let settings = directory.settings else {
            // The same list as `check` gives: what is wrong inside the plugins' options too.
            let resolution = StageAssembly.resolve(directory, loader: loader, generation: generation, checkingOrder: false)
            let all = errors + resolution.refused.map { "\($0.file): \($0.error)" } + resolution.problems.filter { $0.severity == .error }.map(\.description)
            throw Refusal(reason: all.count == 1 ? all[0] : "\(all.count) errors in \(context.directory)", details: all.count == 1 ? [] : all)
        }
        let fixed = settings.differingKeys(from: oldSettings).filter { !$0.hasPrefix("log.") }
        if !fixed.isEmpty {
            throw Refusal(reason: "\(fixed.joined(separator: ", ")) cannot change while the host runs; restart it, or take the change back")
        }
        let resolution = StageAssembly.resolve(directory, loader: loader, generation: generation)
        let problems = resolution.refused.map { "\($0.file): \($0.error)" } + resolution.problems.filter { $0.severity == .error }.map(\.description)
        guard problems.isEmpty else {
            throw Refusal(reason: problems.count == 1 ? problems[0] : "\(problems.count) errors in \(context.directory)", details: problems.count == 1 ? [] : problems)
        }
        let changes = Self.changes(old.stages.map(\.resolved), resolution.stages)
        try refuseFixedRoles(old.stages.map(\.resolved), resolution.stages)
        let log = try newLog(settings.log, oldSettings.log)
        var pause: UInt64 = 0
        if !changes.isEmpty { pause = try swap(old, resolution.stages, generation: generation) }
        if let log { context.log.reconfigure(log) }
        for warning in directory.problems + resolution.problems { context.log.warning("configuration", ["message": .text(warning.description)]) }
        refreshPublication()
        state.withLock { $0.settings = settings }
        return (changes + (log == nil ? [] : ["log"]), pause)
    }

    /// nil: it stays as it is. A file that cannot be opened refuses the reload while all of it still can be.
    private func newLog(_ settings: LogSettings, _ old: LogSettings) throws(Refusal) -> Log.Configuration? {
        guard settings != old else { return nil }
        do throws(FileError) { return try context.logConfiguration(settings) } catch { throw Refusal(reason: "log.file: \(error)") }
    }

    /// New tables join the publication at a reload too. A server that is away does not refuse the new plan.
    private func refreshPublication() {
        guard context.settings.source.publication.manage, shared.isStreaming else { return }
        do {
            let session = SourceSession(context: context, decoderPlugin: "", interrupt: interrupt)
            try session.refreshPublication(createdByUs: checkpointer.record?.publicationCreatedByUs ?? false)
        } catch let exit as HostExit {
            context.log.warning("publication", ["message": .text(exit.reason), "cure": .text(exit.cure)])
        } catch { context.log.warning("publication", ["message": .text("\(error)")]) }
    }

    private func swap(_ old: AssembledPlan, _ stages: [ResolvedStage], generation: Int) throws(Refusal) -> UInt64 {
        guard let lane = shared.lane else { throw Refusal(reason: "the host is still starting; ask again when it streams") }
        let assembled: AssembledPlan
        do throws(StageFailure) {
            assembled = try AssembledPlan.make(stages, generation: generation, running: old, services: bridge, maxRows: context.settings.batch.rows)
        } catch { throw Refusal(reason: error.description) }
        do throws(StageFailure) {
            // Beside the running plan: what is refused here never touched the stream.
            try assembled.plan.prepare(lane.liveRelations, takingOver: old.plan)
        } catch {
            assembled.plan.discard(running: old.plan, timeout: .seconds(2))
            throw Refusal(reason: error.description)
        }
        switch lane.reload(assembled.plan, whileWaiting: { [context] in !context.isStopping }) {
        case .swapped(let pause):
            state.withLock {
                $0.assembled = assembled
                $0.generation = generation
            }
            old.plan.retire(successor: assembled.plan, timeout: .seconds(5))
            return pause
        case .refused(let failure):
            assembled.plan.discard(running: old.plan, timeout: .seconds(2))
            throw Refusal(reason: failure.description)
        case .gone:
            assembled.plan.discard(running: old.plan, timeout: .seconds(2))
            throw Refusal(reason: "the host stops")
        }
    }

    private func refuseFixedRoles(_ old: [ResolvedStage], _ new: [ResolvedStage]) throws(Refusal) {
        for (role, why) in [
            (CDCP_ROLE_DECODER, "the decoder belongs to the replication connection"), (CDCP_ROLE_SINK, "a change of the sink comes in a later version"),
        ] {
            let before = old.first { $0.role == UInt32(role) }
            let after = new.first { $0.role == UInt32(role) }
            if let before, let after, !after.isSame(as: before) {
                throw Refusal(reason: "\(after.settings.name) cannot change while the host runs (\(why)); restart the host, or take the change back")
            }
        }
        for stage in old where stage.stage.flags.contains(.stateful) && !new.contains(where: { $0.isSame(as: stage) }) {
            throw Refusal(reason: "\(stage.settings.name) keeps state, and handing it over comes in a later version; restart the host")
        }
    }

    /// In words: added, removed, changed, and whether the order did.
    static func changes(_ old: [ResolvedStage], _ new: [ResolvedStage]) -> [String] {
        var changes: [String] = []
        for stage in new where !old.contains(where: { $0.isSame(as: stage) }) {
            let known = old.first { $0.settings.name == stage.settings.name }
            if let known {
                changes.append(stage.settings.name + (known.library.sha256 == stage.library.sha256 ? " (settings)" : " (code \(stage.library.sha256))"))
            } else {
                changes.append(stage.settings.name + " (added)")
            }
        }
        for stage in old where !new.contains(where: { $0.settings.name == stage.settings.name }) { changes.append(stage.settings.name + " (removed)") }
        if changes.isEmpty, old.map(\.settings.name) != new.map(\.settings.name) { changes.append("order") }
        return changes
    }
}
