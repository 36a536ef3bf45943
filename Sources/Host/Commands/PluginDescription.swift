import PluginLoader

/// What a library says of itself, asked in a child: its constructors and its entry run there.
struct PluginDescription {
    /// For people or for programs, as it was asked for.
    var text = ""
    var stages: [(role: String, id: String, version: String, summary: String)] = []
    /// Why it is refused, or what became of the child.
    var refusal: Finding?

    /// In the child.
    static func report(_ file: String, json: Bool) {
        ChildReport.at(stage: file, what: "was loaded", seconds: 10).send()
        do throws(PluginError) {
            let library = try PluginLoader.describe(file)
            ChildReport.text(json ? library.infoJSON : library.infoText).send()
            for stage in library.stages {
                ChildReport.stage(role: stage.role.description, id: stage.id, version: stage.version, summary: stage.summary).send()
            }
        } catch {
            ChildReport.finding(Finding(.error, code: .plugin, line: error.description)).send()
        }
    }

    /// Starts the child and listens.
    static func of(_ file: String, json: Bool = false) -> PluginDescription {
        var result = PluginDescription()
        let outcome = ChildTrial.run(.describe(file: file, json: json)) { report in
            switch report {
            case .text(let text): result.text = text
            case .stage(let role, let id, let version, let summary): result.stages.append((role, id, version, summary))
            case .finding(let finding): result.refusal = finding
            default: break
            }
        }
        if let accident = outcome, result.refusal == nil {
            result.refusal = Finding(.error, code: accident.code, line: "plugin \(file): \(accident.message)")
        }
        return result
    }
}
