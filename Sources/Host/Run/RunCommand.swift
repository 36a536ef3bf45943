import Admin
import Chain
import Checkpoint
import Files
import Glibc
import LibcExtras
import PluginABI
import PluginLoader
import Postgres
import Settings
import Telemetry

/// `cdc-host --plugins DIR`: from the files to the last line.
enum RunCommand {
    static func run(directory path: String, environment: [String: String]) -> ExitCode {
        Signals.block()
        tuneMemory()
        umask(0o077)
        let directory = PluginsDirectory.read(path: path, environment: environment)
        guard directory.isUsable, let settings = directory.settings else { return refuse(directory, environment) }
        let context: HostContext
        do throws(FileError) { context = try HostContext.make(directory: path, settings: settings) } catch {
            printError("log.file: \(error)")
            return .configuration
        }
        context.log.info("starting", ["name": .text(settings.name), "version": .text(hostVersion), "pid": .number(Int64(getpid())), "plugins": .text(path)])
        for warning in directory.problems { context.log.warning("configuration", ["message": .text(warning.description)]) }
        do {
            try work(directory, context, environment)
            guard context.takeLastWord() else { return .clean }
            context.log.info("stopped", ["code": 0, "message": .text("everything that was received as whole transactions is acknowledged and confirmed")])
            return .clean
        } catch is Stopped {
            guard context.takeLastWord() else { return .clean }
            context.log.info("stopped", ["code": 0, "message": "nothing was in flight"])
            return .clean
        } catch let exit as HostExit {
            return report(exit, context)
        } catch {
            return report(HostExit(.defect, "\(error)", cure: "report it"), context)
        }
    }

    /// The same list as `check` gives, what is wrong inside the plugins' options too: all of it can be corrected in one go.
    private static func refuse(_ directory: PluginsDirectory, _ environment: [String: String]) -> ExitCode {
        for problem in directory.problems { printError(problem.description) }
        if !directory.stages.isEmpty {
            var stages = StageChecks(directory: directory, environment: environment)
            stages.run(reach: .configure) { if $0.verdict != .ok { printError($0.line) } }
        }
        printError("cdc-host: nothing was started; correct the lines above, and try with: cdc-host check --offline --plugins \(directory.path)")
        return .configuration
    }

    private static func report(_ exit: HostExit, _ context: HostContext) -> ExitCode {
        context.enter(.failed, exit.reason)
        guard context.takeLastWord() else { return exit.code }
        context.terminal?.clear()
        var fields: [(key: String, value: LogValue)] = [("code", .number(Int64(exit.code.rawValue))), ("reason", .text(exit.reason))]
        if !exit.cure.isEmpty { fields.append(("cure", .text(exit.cure))) }
        context.log.write(exit.code == .clean ? .info : exit.code == .temporary ? .warning : .error, "stopped", fields: fields)
        return exit.code
    }

    private static func work(_ directory: PluginsDirectory, _ context: HostContext, _ environment: [String: String]) throws {
        let settings = context.settings
        let shared = RunShared()
        let desk = SignalDesk()
        // Before any code of a plugin runs: one that hangs must not keep the process from its end, nor one that faults end it without a word.
        let signals = Signals.listen({ number in handle(number, context, desk) }, tick: { tick(context, shared) })
        let faults = Faults.watch { fault in leave(exit(fault, context, shared), context) }
        defer {
            Faults.isOrderly = true
            _ = (signals, faults)
        }
        let lock: InstanceLock
        let checkpointer: Checkpointer
        do throws(CheckpointError) {
            lock = try InstanceLock.acquire(directory: settings.stateDirectory, name: settings.name)
            let store = try CheckpointStore(directory: settings.stateDirectory, streamName: settings.name)
            let found = try store.load()
            if let recovery = found.recovery { context.log.warning("checkpoint_recovered", ["message": .text(recovery)]) }
            checkpointer = Checkpointer(store: store, record: found.record, context: context)
        } catch { throw ErrorPolicy.exit(error) }
        let bridge = HostBridge(context: context)
        let loader: PluginLoader
        do throws(PluginError) { loader = try PluginLoader(directory: FilePath.join(settings.stateDirectory, "plugins")) } catch { throw ErrorPolicy.exit(error) }
        let assembled = try assemble(directory, loader, context, bridge)
        let run = try StreamRun(context: context, bridge: bridge, checkpointer: checkpointer, assembled: assembled, shared: shared)
        let listening = Listening()
        let server = try listen(context, listening)
        defer { server?.stop() }
        let reloader = try Reloader(
            context: context, bridge: bridge, loader: loader, shared: shared, checkpointer: checkpointer, lock: lock, adminAddress: server?.address.description ?? "",
            environment: environment, assembled: assembled)
        listening.attach(StatusReport(context: context, shared: shared, checkpointer: checkpointer, reloader: reloader))
        reloader.announce()
        reloader.showPlugins()
        if let server { context.log.info("listening", ["admin": .text(server.address.description)]) }
        desk.attach(reloader)
        let reloadThread = reloader.start()
        let monitor = SlotMonitor(context: context, shared: shared)
        monitor.start()
        defer {
            // The process ends: whoever still waits is told, and what a plugin started is joined.
            context.requestStop(force: true)
            reloadThread.join()
            monitor.stop()
            run.end()
        }
        do { try run.run() } catch {
            context.conclude(error as? HostExit ?? HostExit(error is Stopped ? .clean : .defect, "\(error)"))
            throw error
        }
        context.conclude(HostExit(.clean, "everything that was received as whole transactions is acknowledged and confirmed"))
    }

    private static func assemble(_ directory: PluginsDirectory, _ loader: PluginLoader, _ context: HostContext, _ bridge: HostBridge) throws -> AssembledPlan {
        do throws(PostgresError) { try Connection.validate(context.settings.source.connection.exposed) } catch {
            throw HostExit(.configuration, error.description, cure: "correct source.connection and start again")
        }
        let resolution = StageAssembly.resolve(directory, loader: loader, generation: 1)
        for problem in resolution.problems {
            context.log.write(problem.severity == .error ? .error : .warning, "configuration", ["message": .text(problem.description)])
        }
        for (file, error) in resolution.refused { context.log.error("plugin_refused", ["file": .text(file), "message": .text(error.description)]) }
        if let first = resolution.refused.first { throw ErrorPolicy.exit(first.error) }
        let errors = resolution.problems.filter { $0.severity == .error }
        if let first = errors.first {
            throw HostExit(.configuration, first.description, cure: errors.count > 1 ? "\(errors.count - 1) further errors are in the lines above" : "")
        }
        do throws(StageFailure) {
            return try AssembledPlan.make(resolution.stages, generation: 1, running: nil, services: bridge, maxRows: context.settings.batch.rows, activate: false)
        } catch { throw ErrorPolicy.exit(atStart: error) }
    }

    private static func listen(_ context: HostContext, _ listening: Listening) throws -> AdminServer? {
        do throws(AdminError) {
            guard let address = try AdminRoutes.address(context.settings.adminListen) else { return nil }
            return try AdminServer(listen: address) { path in
                AdminRoutes.answer(path, context, status: { listening.report?.json() ?? .null }, refresh: { listening.refresh() })
            }
        } catch { throw HostExit(.configuration, error.description, cure: "set admin.listen to a free address, or to off") }
    }

    private static func handle(_ number: Int32, _ context: HostContext, _ desk: SignalDesk) {
        switch number {
        case SIGHUP: desk.reload()
        case SIGUSR1:
            do throws(FileError) { try context.log.reopen() } catch { context.log.warning("log_file", ["message": .text(error.description)]) }
        default:
            let again = context.isStopping
            context.log.info(
                "stopping", ["signal": number == SIGINT ? "INT" : "TERM", "limit": .duration(context.settings.limits.stop), "at_once": .flag(again)])
            context.enter(.stopping)
            context.requestStop(force: again)
        }
    }

    private static func tick(_ context: HostContext, _ shared: RunShared) {
        context.giveUpIfDue()
        watch(context, shared)
        // A plugin that hangs must not keep the process: the checkpoint on disk is whole at every moment.
        if let exit = context.overdue { leave(exit, context) }
        if context.isStopOver, !context.isForced { context.requestStop(force: true) }
    }

    /// A stage that does not return while rows flow ends the process: nothing would ever be delivered again. What is the host's own waits by its
    /// own rules.
    private static func watch(_ context: HostContext, _ shared: RunShared) {
        switch context.watchStage() {
        case .moves: return
        case .isLong(let time):
            guard let call = presentCall(context, shared) else { return }
            context.log.warning("stage_stalled", ["message": .text("\(call) has not returned for \(time.logText)"), "limit": .duration(StallWatch.over)])
        case .isOver(let time):
            guard let call = presentCall(context, shared) else { return }
            leave(
                HostExit(
                    .plugin, "\(call) has not returned for \(time.logText)",
                    cure: "nothing from there on is acknowledged; look at what the stage waits for, or take it out, and start again"), context)
        }
    }

    /// The stage whose code the stage thread is in.
    private static func presentCall(_ context: HostContext, _ shared: RunShared) -> String? {
        if let call = shared.lane?.presentCall { return "\(call.stage), near \(LSN(rawValue: call.position))," }
        return context.callOfStageThread
    }

    /// A stage's code is 81, the host's own a defect.
    private static func exit(_ fault: Faults.Fault, _ context: HostContext, _ shared: RunShared) -> HostExit {
        let cure = "nothing was acknowledged that is not delivered, and a restart repeats whole transactions only"
        guard let call = context.call(of: fault.thread) ?? (context.isStageThread(fault.thread) ? presentCall(context, shared) : nil) else {
            return HostExit(.defect, "\(fault.name), in the host or on a thread that a plugin started", cure: "\(cure); report it, with the plugins that run")
        }
        return HostExit(.plugin, "\(call) ended the process: \(fault.name)", cure: "\(cure), which may meet the same row: replace the library, or take the stage out")
    }

    private static func leave(_ exit: HostExit, _ context: HostContext) -> Never { _exit(report(exit, context).rawValue) }

    /// A host of a few threads needs no arena for each, and gives memory back.
    private static func tuneMemory() {
        cdc_tune_memory()
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        // Rows are in memory: no core file unless an operator allows one by hand.
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    }
}

/// One line on standard error, before there is a log.
func printError(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
