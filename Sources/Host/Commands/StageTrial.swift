import Chain
import Files
import Glibc
import PluginABI
import PluginLoader
import Postgres
import Settings

/// The stages of a plugins.d brought up in a process of their own, as far as that needs no running stream. In the child.
struct StageTrial {
    let directory: String
    /// Stages that have brought a child down already.
    let skipped: Set<String>
    let reach: InnerCommand.Reach
    let environment: [String: String]

    /// How long a call of a plugin may take, in seconds.
    static let patience = 10

    func run() {
        var files = PluginsDirectory.read(path: directory, environment: environment)
        files.stages.removeAll { skipped.contains($0.name) }
        let loader: PluginLoader
        do throws(PluginError) { loader = try PluginLoader.temporary() } catch { return say(.error(.plugin, "plugins", error.description)) }
        for stage in files.stages {
            at(stage.name, "was loaded")
            // One by one, so that it is known whose code it was; what is refused is said below.
            let path = try? PluginLocation.resolve(
                plugin: stage.plugin, stageFile: stage.file, executableDirectory: StageAssembly.executableDirectory)
            if let path { _ = try? loader.load(path, sha256: stage.sha256) }
        }
        at("", "was checked")
        let resolution = StageAssembly.resolve(files, loader: loader, generation: 1)
        for (place, error) in resolution.refused {
            let cure = error.cure.isEmpty ? "" : "; " + error.cure
            say(Finding(.error, code: .plugin, line: "\(place): plugin: \(error.path) \(error.what)\(cure)"))
        }
        for problem in resolution.problems where isJust(problem, files) { say(.problem(problem)) }
        if let name = resolution.stages.compactMap(\.stage.outputPlugin).first { ChildReport.outputPlugin(name).send() }
        let settings = files.settings ?? .byDefault(environment)
        guard let services = TrialServices(directory: directory, settings: settings) else { return }
        let instances = configure(resolution, services)
        defer {
            for (stage, instance) in instances {
                at(stage.settings.name, "was ended")
                instance.end(timeout: .seconds(2))
            }
        }
        guard reach != .configure, files.isUsable, resolution.isUsable, instances.count == resolution.stages.count else { return }
        let topics = reach == .tables ? bind(instances, settings, services) : []
        guard let sink = lookForBrokers(instances, settings, services) else { return }
        look(for: topics, sink.stage, sink.instance)
    }

    /// Where a stage's file could not be read, or its library brought the child down, the chain only seems to be incomplete.
    private func isJust(_ problem: Problem, _ files: PluginsDirectory) -> Bool {
        let isOfChain = problem.place.line == 0 || problem.keyPath == "plugin"
        guard isOfChain else { return true }
        let brokenStages = files.problems.contains {
            $0.severity == .error && !FilePath.name(of: $0.place.file).hasPrefix("host.") && $0.place.file != directory
        }
        return skipped.isEmpty && !brokenStages
    }

    private func configure(_ resolution: StageAssembly.Resolution, _ services: TrialServices) -> [(stage: ResolvedStage, instance: StageInstance)] {
        var instances: [(stage: ResolvedStage, instance: StageInstance)] = []
        for stage in resolution.stages {
            let isRefused = resolution.problems.contains { $0.severity == .error && $0.place.file == stage.settings.file }
            if isRefused { continue }
            let instance = StageAssembly.instance(stage, generation: 1, services: services)
            at(stage.settings.name, "was configured")
            do throws(StageFailure) {
                try instance.initialize(stage.library)
                try instance.configure(stage.options)
                instances.append((stage, instance))
                say(
                    .ok(
                        stage.settings.name, "\(stage.stage.role) \(stage.stage.id) \(stage.stage.version), sha256 \(stage.library.sha256.prefix(12))"
                    ))
            } catch { refuse(stage, error) }
        }
        return instances
    }

    /// - Returns: the topics of the tables.
    private func bind(
        _ instances: [(stage: ResolvedStage, instance: StageInstance)], _ settings: HostSettings, _ services: TrialServices
    ) -> [String] {
        func all(_ role: Int32) -> [StageInstance] { instances.filter { $0.stage.role == UInt32(role) }.map(\.instance) }
        guard let decoder = all(CDCP_ROLE_DECODER).first, let codec = all(CDCP_ROLE_CODEC).first,
            let sink = all(CDCP_ROLE_SINK).first
        else { return [] }
        ChildReport.at(stage: "", what: "read the catalog", seconds: 180).send()
        var relations: [(name: String, relation: UnsafePointer<cdcp_relation>)] = []
        let topics: [String]
        do throws(PostgresError) {
            let options = ConnectionOptions(
                applicationName: "cdc-host \(settings.name) check", connectTimeout: settings.source.connectTimeout,
                silenceTimeout: settings.source.silenceTimeout)
            let connection = try Connection(connecting: settings.source.connection.exposed, options: options, interrupt: try Interrupt())
            services.bridge.connected(serverVersion: connection.serverVersion, database: connection.database, systemIdentifier: "")
            let capture = try PlannedCapture(settings, createdByUs: false, on: connection)
            relations = capture.shapes(settings.source.columns).map { ($0.qualifiedName, services.registry.intern($0)) }
            topics = capture.captured.map { TopicNames.name(settings.topics, schema: $0.schema, table: $0.name) }
        } catch {
            // The parent has connected a moment ago and has said all there is to say.
            say(.warning("tables", "the stages could not be tried on them: \(error)"))
            return []
        }
        let plan = Plan(
            generation: 1, decoder: decoder, transforms: all(CDCP_ROLE_TRANSFORM), codec: codec, partitioner: all(CDCP_ROLE_PARTITIONER).first, sink: sink,
            services: services)
        at(instances.map(\.stage.settings.name).joined(separator: ", "), "was bound to the server's tables")
        var isRefused = false
        while true {
            do throws(StageFailure) {
                try plan.prepare(relations.map(\.relation))
                break
            } catch {
                // A table less, and the next one's complaint; what a stage says of all tables together is then not to be trusted.
                let call = error.call
                let stage = error.stage
                let bound = relations.firstIndex { call == "bind \($0.name)" }
                if bound != nil || !isRefused { refuse(instances.first { $0.instance.name == stage }?.stage, error) }
                isRefused = true
                guard let bound else { break }
                relations.remove(at: bound)
            }
        }
        if !isRefused { say(.ok("tables", "every stage takes the \(relations.count) tables")) }
        return topics
    }

    /// A sink over the network says how its brokers are once it is active. One that writes files would make them, so it is left alone.
    /// - Returns: the sink where they answer.
    private func lookForBrokers(
        _ instances: [(stage: ResolvedStage, instance: StageInstance)], _ settings: HostSettings, _ services: TrialServices
    ) -> (stage: ResolvedStage, instance: StageInstance)? {
        guard let sink = instances.first(where: { $0.stage.library.id == "KafkaSink" }) else { return nil }
        let name = sink.stage.settings.name
        ChildReport.at(stage: name, what: "looked for its brokers", seconds: Self.patience * 3).send()
        do throws(StageFailure) { try sink.instance.activate(maxRows: settings.batch.rows) } catch {
            refuse(sink.stage, error)
            return nil
        }
        let begin = monotonicNow()
        var failingSince: UInt64?
        while monotonicNow() &- begin < Self.nanoseconds(Self.patience) {
            switch services.sinkState {
            case .some((true, _)):
                say(.ok(name, "the brokers answer"))
                return sink
            case .some((false, _)): failingSince = failingSince ?? monotonicNow()
            case .none: break
            }
            // One that refuses at first may be one of several.
            if let failingSince, monotonicNow() &- failingSince > Self.nanoseconds(3) { break }
            usleep(20_000)
        }
        // The word of health is for people, the answer to a question has a status: that tells a client that is refused from a broker that is away.
        do throws(StageFailure) { _ = try sink.instance.look(forTopic: TopicTable.sanitized(settings.topics.prefix)) } catch {
            if error.status == CDCP_E_PERMISSION {
                refuse(sink.stage, error)
                return nil
            }
        }
        let reason = services.sinkState.map { ": \($0.reason)" } ?? " within \(Self.patience) seconds"
        say(.error(.unavailable, name, "no broker answers\(reason)", cure: "check the address, the network and the credentials"))
        return nil
    }

    /// Makes none.
    private func look(for topics: [String], _ stage: ResolvedStage, _ sink: StageInstance) {
        var there = 0
        var missing: [String] = []
        for topic in Set(topics).sorted() {
            at(stage.settings.name, "looked for topic \(topic)")
            do throws(StageFailure) {
                switch try sink.look(forTopic: topic) {
                case .there: there += 1
                case .wouldBeMade: missing.append(topic)
                case nil: return
                }
            } catch {
                // What the brokers do not answer now they do not answer for the next one.
                if error.status == CDCP_E_RETRY { return say(.error(.unavailable, stage.settings.name, error.message)) }
                refuse(stage, error)
            }
        }
        if there > 0 { say(.ok("topics", "\(there) there already")) }
        if !missing.isEmpty {
            let more = missing.count > 20 ? " and \(missing.count - 20) more" : ""
            say(.ok("topics", "a start makes \(missing.count): \(missing.prefix(20).joined(separator: ", "))\(more)"))
        }
    }

    private static func nanoseconds(_ seconds: Int) -> UInt64 { UInt64(seconds) &* 1_000_000_000 }

    private func refuse(_ stage: ResolvedStage?, _ failure: StageFailure) {
        let exit = ErrorPolicy.exit(atStart: failure)
        guard let stage else { return say(.error(exit.code, "stages", exit.reason)) }
        // Of one of its options a stage says the place itself.
        if failure.message.hasPrefix(stage.settings.file + ":") { return say(Finding(.error, code: exit.code, line: failure.message)) }
        say(.problem(Problem(stage.settings.place(of: "options"), keyPath: "options", failure.message), code: exit.code))
    }

    private func at(_ stage: String, _ what: String) { ChildReport.at(stage: stage, what: what, seconds: Self.patience).send() }

    private func say(_ finding: Finding) { ChildReport.finding(finding).send() }
}
