/// What a stage does; its library says so.
public enum StageRole: String, Sendable, Hashable, CaseIterable {
    case decoder, transform, codec, partitioner, sink
}

/// What the rules of the chain need to know of a stage beside its file.
public struct StageFacts: Sendable {
    /// The file.
    public var settings: StageSettings
    /// From the library's descriptor.
    public var role: StageRole
    /// True for a stage that masks values or changes a table's shape: it must see every operation.
    public var seesEveryOp: Bool
    /// True for a sink that cannot choose partitions itself.
    public var needsPartitioner: Bool

    /// Facts of one stage.
    public init(settings: StageSettings, role: StageRole, seesEveryOp: Bool = false, needsPartitioner: Bool = false) {
        self.settings = settings
        self.role = role
        self.seesEveryOp = seesEveryOp
        self.needsPartitioner = needsPartitioner
    }
}

/// The order that roles must come in, and the keys that a role does not take.
public enum StageOrder {
    /// Everything that is wrong with the chain; `directory` is where a missing stage belongs.
    public static func problems(_ stages: [StageFacts], directory: String) -> [Problem] {
        var problems: [Problem] = []
        for role in [StageRole.decoder, .codec, .sink] where !stages.contains(where: { $0.role == role }) {
            problems.append(Problem(SourcePlace(file: directory), "no stage is a \(role.rawValue); a chain has exactly one: \(examples(role))"))
        }
        let isPartitioned = stages.contains { $0.role == .partitioner }
        for stage in stages where stage.needsPartitioner && !isPartitioned {
            problems.append(
                Problem(
                    stage.settings.pluginPlace, keyPath: "plugin", "\(stage.settings.plugin) needs a partitioner before it: \(examples(.partitioner))"
                ))
        }
        var last: StageFacts?
        for stage in stages {
            if let last {
                if rank(stage.role) < rank(last.role) {
                    let what = "\(stage.settings.name) is a \(stage.role.rawValue) behind \(last.settings.name), a \(last.role.rawValue)"
                    let order = "the order is decoder, transforms, codec, partitioner, sink: give the file another number"
                    problems.append(Problem(stage.settings.pluginPlace, keyPath: "plugin", "\(what); \(order)"))
                } else if stage.role == last.role, stage.role != .transform {
                    let what = "\(stage.settings.name) is a second \(stage.role.rawValue) after \(last.settings.name)"
                    problems.append(
                        Problem(stage.settings.pluginPlace, keyPath: "plugin", "\(what); a chain has one: disable one of the files (*.disabled)"))
                }
            }
            if last.map({ rank(stage.role) >= rank($0.role) }) ?? true { last = stage }
            problems += refusedKeys(stage)
        }
        return problems
    }

    private static func refusedKeys(_ stage: StageFacts) -> [Problem] {
        var problems: [Problem] = []
        func refuse(_ key: String, _ message: String) {
            problems.append(Problem(stage.settings.place(of: key), keyPath: key, message))
        }
        if stage.settings.onError != nil, stage.role == .decoder || stage.role == .partitioner {
            refuse("on_error", "a \(stage.role.rawValue) does not take it: what it fails always stops the stream; take the key out")
        }
        if stage.role != .transform, stage.settings.matchTables != nil || stage.settings.matchOps != nil {
            refuse("match", "a \(stage.role.rawValue) sees every row; only transforms take match")
        } else if stage.seesEveryOp, stage.settings.matchOps != nil {
            let message = "\(stage.settings.plugin) masks values or changes a table's shape, so it must see every operation; take ops out"
            let place = stage.settings.whole["match"]?["ops"]?.place ?? stage.settings.place(of: "match")
            problems.append(Problem(place, keyPath: "match.ops", message))
        }
        return problems
    }

    private static func rank(_ role: StageRole) -> Int {
        switch role {
        case .decoder: 0
        case .transform: 1
        case .codec: 2
        case .partitioner: 3
        case .sink: 4
        }
    }

    private static func examples(_ role: StageRole) -> String {
        switch role {
        case .decoder: "10-decoder.yaml with plugin: PgOutput"
        case .transform: "30-masking.yaml with plugin: Masking"
        case .codec: "40-codec.yaml with plugin: JSONCodec"
        case .partitioner: "50-partitioner.yaml with plugin: KeyPartitioner"
        case .sink: "60-sink.yaml with plugin: KafkaSink or FileSink"
        }
    }
}
