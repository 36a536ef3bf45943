import Settings

/// Has the stages of a plugins.d tried in children, so that code of theirs which crashes or hangs is a finding and not the end.
struct StageChecks {
    let directory: PluginsDirectory
    let environment: [String: String]
    /// What the decoder's slot needs, as far as it is known.
    private(set) var outputPlugin = "pgoutput"

    init(directory: PluginsDirectory, environment: [String: String]) {
        self.directory = directory
        self.environment = environment
    }

    /// A stage whose code ends the child is named and left out of the next attempt.
    mutating func run(reach: InnerCommand.Reach, _ say: (Finding) -> Void) {
        var skipped: Set<String> = []
        while skipped.count <= directory.stages.count {
            let accident = ChildTrial.run(.checkStages(directory: directory.path, skipped: skipped, reach: reach)) { report in
                switch report {
                case .finding(let finding): say(finding)
                case .outputPlugin(let name): outputPlugin = name
                default: break
                }
            }
            guard let accident else { return }
            guard let stage = directory.stages.first(where: { $0.name == accident.stage }) else {
                return say(.error(accident.code, accident.stage.isEmpty ? "stages" : accident.stage, "a plugin \(accident.message)"))
            }
            say(.problem(Problem(stage.pluginPlace, keyPath: "plugin", "\(stage.plugin) \(accident.message)"), code: accident.code))
            skipped.insert(stage.name)
            if reach != .configure { return }
        }
    }
}
