import Chain
import Glibc
import PluginABI
import PluginLoader
import Settings

/// One stage of a plugins.d with its library and its options, all checked; no instance yet.
struct ResolvedStage {
    let settings: StageSettings
    let library: LoadedLibrary
    let stage: LoadedStage
    /// Held against the plugin's schema, its defaults filled in.
    let options: OptionTree

    var role: UInt32 { stage.role.rawValue }

    /// Needs no new instance: same file, same settings, same code.
    func isSame(as other: ResolvedStage) -> Bool { settings == other.settings && library.sha256 == other.library.sha256 && stage.id == other.stage.id }

    var policy: RowPolicy { settings.onError == .skip ? .skip : .stop }
}

/// From plugins.d to instances.
enum StageAssembly {
    /// The directory of the running executable: where the host's own plugins lie.
    static var executableDirectory: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        guard length > 0 else { return "." }
        let path = String(decoding: buffer[..<length], as: UTF8.self)
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    struct Resolution {
        var stages: [ResolvedStage] = []
        /// Of the files.
        var problems: [Problem] = []
        /// Of the libraries: exit 81.
        var refused: [(file: String, error: PluginError)] = []

        var isUsable: Bool { refused.isEmpty && !problems.contains { $0.severity == .error } }
    }

    /// Loads every library and checks every option. Runs code of libraries (their entry), makes no instance.
    static func resolve(_ directory: PluginsDirectory, loader: PluginLoader, generation: Int, checkingOrder: Bool = true) -> Resolution {
        var result = Resolution()
        for settings in directory.stages {
            do throws(PluginError) {
                let path = try PluginLocation.resolve(plugin: settings.plugin, stageFile: settings.file, executableDirectory: executableDirectory)
                let library = try loader.load(path, sha256: settings.sha256, generation: generation)
                let stage = try library.stage(settings.stage)
                let (options, problems) = stage.schema.validate(settings.options)
                result.problems += problems
                result.stages.append(ResolvedStage(settings: settings, library: library, stage: stage, options: options))
            } catch {
                result.refused.append((settings.pluginPlace.description, error))
            }
        }
        if checkingOrder, result.refused.isEmpty { result.problems += StageOrder.problems(result.stages.compactMap(facts), directory: directory.path) }
        return result
    }

    private static func facts(_ resolved: ResolvedStage) -> StageFacts? {
        guard let role = Settings.StageRole(rawValue: resolved.stage.role.description) else { return nil }
        let flags = resolved.stage.flags
        return StageFacts(
            settings: resolved.settings, role: role, seesEveryOp: flags.contains(.sensitive) || flags.contains(.reshapes),
            needsPartitioner: flags.contains(.needsPartitions))
    }

    static func instance(_ resolved: ResolvedStage, generation: Int, services: any HostServices) -> StageInstance {
        let stage = resolved.stage
        var matches: (@Sendable (String, String) -> Bool)?
        if let patterns = resolved.settings.matchTables {
            matches = { schema, table in patterns.contains { $0.matches(schema: schema, table: table) } }
        }
        var ops: Set<UInt8>?
        if let named = resolved.settings.matchOps { ops = Set(named.map { number($0) }) }
        let code = StageCode(
            role: stage.role.rawValue, id: stage.id, pluginID: resolved.library.id, version: stage.version, flags: stage.flags.rawValue,
            sha256: resolved.library.sha256, descriptor: stage.desc, life: stage.life, decoder: stage.decoder, transform: stage.transform,
            codec: stage.codec, partitioner: stage.partitioner, sink: stage.sink)
        return StageInstance(
            name: resolved.settings.name, code: code, generation: generation, onError: resolved.policy, matches: matches,
            ops: ops, services: services)
    }

    private static func number(_ op: Settings.RowOp) -> UInt8 {
        switch op {
        case .insert: UInt8(CDCP_OP_INSERT)
        case .update: UInt8(CDCP_OP_UPDATE)
        case .delete: UInt8(CDCP_OP_DELETE)
        case .truncate: UInt8(CDCP_OP_TRUNCATE)
        case .message: UInt8(CDCP_OP_MESSAGE)
        case .read: UInt8(CDCP_OP_READ)
        }
    }
}

/// The stages of a plan, each with what it was made from.
struct AssembledPlan {
    let stages: [(resolved: ResolvedStage, instance: StageInstance)]
    let plan: Plan

    /// Makes instances where `running` has none that is the same, and configures and activates them.
    /// - Parameter activate: false: configure only, as `check` does.
    static func make(
        _ resolved: [ResolvedStage], generation: Int, running: AssembledPlan?, services: any HostServices, maxRows: Int, activate: Bool = true
    ) throws(StageFailure) -> AssembledPlan {
        var stages: [(resolved: ResolvedStage, instance: StageInstance)] = []
        var fresh: [StageInstance] = []
        do throws(StageFailure) {
            for one in resolved {
                if let kept = running?.stages.first(where: { $0.resolved.isSame(as: one) }) {
                    // The running sink may be a later instance than the one that was assembled.
                    stages.append((one, one.role == UInt32(CDCP_ROLE_SINK) ? running?.plan.sink ?? kept.instance : kept.instance))
                    continue
                }
                let instance = StageAssembly.instance(one, generation: generation, services: services)
                fresh.append(instance)
                try instance.initialize(one.library)
                try instance.configure(one.options)
                if activate { try instance.activate(maxRows: maxRows) }
                stages.append((one, instance))
            }
        } catch {
            for instance in fresh { instance.end(timeout: .seconds(5)) }
            throw error
        }
        func all(_ role: Int32) -> [StageInstance] { stages.filter { $0.resolved.role == UInt32(role) }.map(\.instance) }
        guard let decoder = all(CDCP_ROLE_DECODER).first, let codec = all(CDCP_ROLE_CODEC).first,
            let sink = all(CDCP_ROLE_SINK).first
        else { throw StageFailure(stage: "", call: "assemble", status: CDCP_E_CONFIG, message: "the chain is not complete") }
        let plan = Plan(
            generation: generation, decoder: decoder, transforms: all(CDCP_ROLE_TRANSFORM), codec: codec,
            partitioner: all(CDCP_ROLE_PARTITIONER).first, sink: sink,
            services: services)
        return AssembledPlan(stages: stages, plan: plan)
    }
}

extension AssembledPlan {
    /// At the first start: once the server is known, since stages may keep what the stream's facts say.
    func activate(maxRows: Int) throws(StageFailure) {
        for (_, instance) in stages { try instance.activate(maxRows: maxRows) }
    }
}

extension StageInstance {
    /// The library's own `init`, before its first instance.
    func initialize(_ library: LoadedLibrary) throws(StageFailure) {
        do throws(PluginError) { try library.retain(hostTable) } catch {
            throw StageFailure(stage: name, call: "init", status: CDCP_E_FATAL, message: error.description)
        }
    }
}
