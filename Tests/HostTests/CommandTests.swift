import Testing

@testable import Host

@Suite struct CommandTests {
    @Test func whatTheManualShows() throws {
        #expect(try Command.parse(["--plugins", "d"]) == .run(plugins: "d"))
        #expect(try Command.parse(["run", "--plugins=d"]) == .run(plugins: "d"))
        #expect(try Command.parse(["check", "--offline", "--plugins", "d"]) == .check(plugins: "d", offline: true))
        #expect(try Command.parse(["status", "--plugins", "d", "--json"]) == .status(plugins: "d", state: nil, json: true))
        #expect(try Command.parse(["reload", "--plugins", "d", "--state", "s"]) == .reload(plugins: "d", state: "s"))
        #expect(try Command.parse(["plugin", "list"]) == .pluginList(plugins: nil))
        #expect(try Command.parse(["plugin", "info", "a.so"]) == .pluginInfo(file: "a.so", json: false))
        #expect(
            try Command.parse(["init", "d", "--postgres", "postgresql://h/db", "--kafka", "h:9092"])
                == .initialize(directory: "d", postgres: "postgresql://h/db", kafka: "h:9092"))
        #expect(try Command.parse(["init", "--", "-d"]) == .initialize(directory: "-d", postgres: nil, kafka: nil))
        #expect(try Command.parse(["--version"]) == .version)
        #expect(try Command.parse(["--help"]) == .help(nil))
        #expect(try Command.parse(["help", "plugin", "info"]) == .help(CommandCatalog.pluginInfo))
        #expect(try Command.parse(["check", "--help"]) == .help(CommandCatalog.check))
        #expect(try Command.parse(["plugin", "--help"]) == .help(CommandCatalog.pluginList))
    }

    @Test(arguments: [
        ([], "cdc-host run --plugins plugins.d"), (["check"], "--plugins DIR is missing"), (["chekc", "--plugins", "d"], "did you mean check?"),
        (["check", "--plugin", "d"], "did you mean --plugins?"), (["--plugns", "d"], "did you mean --plugins?"),
        (["check", "--plugins"], "--plugins needs a value"), (["check", "--plugins", "--offline"], "--plugins needs a value"),
        (["check", "--plugins", "d", "--plugins", "e"], "given twice"), (["check", "--plugins", "d", "--offline=yes"], "takes no value"),
        (["check", "x", "--plugins", "d"], "takes no operand"), (["init"], "DIR is missing"), (["plugin"], "check, info, list, new"),
        (["plugin", "lst"], "did you mean plugin list?"), (["help", "relaod"], "did you mean reload?"), (["status", "--jsno"], "did you mean --json?"),
        (["plugin", "new", "--lang", "c", "x"], "later version"), (["plugin", "check", "x.so"], "later version"),
        (["frobnicate"], "unknown command frobnicate"),
    ])
    func whatIsWrongIsSaidWithTheNearestKnownWord(_ arguments: [String], _ part: String) {
        do throws(UsageError) {
            let command = try Command.parse(arguments)
            Issue.record("\(arguments) was taken as \(command)")
        } catch { #expect(error.message.contains(part)) }
    }

    @Test(arguments: [["plugin", "new", "--lang", "c", "x"], ["help", "plugin", "check"]])
    func whatComesLaterIsOneSentence(_ arguments: [String]) {
        #expect(throws: UsageError.self) { try Command.parse(arguments) }
        do throws(UsageError) { _ = try Command.parse(arguments) } catch { #expect(error.isLater) }
    }

    @Test func helpFitsAScreenAndEndsWithAnExample() {
        let lines = HelpText.overview.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 23)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines.last?.contains("cdc-host --plugins") == true)
        for spec in CommandCatalog.all { #expect(HelpText.of(spec).hasSuffix(spec.example)) }
    }

    @Test func aReportSurvivesItsOwnMarks() {
        let all: [ChildReport] = [
            .at(stage: "30-masking", what: "was loaded", seconds: 10), .finding(.error(.plugin, "a\tb", "two\nlines \\t", cure: "none")),
            .outputPlugin("pgoutput"), .text("a\r\nb"), .stage(role: "sink", id: "X", version: "1", summary: ""), .done,
        ]
        for report in all { #expect(ChildReport(line: report.line) == report) }
        for noise in ["", "hello", "at\tx", "finding\tbad\t0\tx", "finding\terror\t5000\tx"] { #expect(ChildReport(line: noise) == nil) }
    }

    @Test func theWorstFindingDecides() {
        let bad: [Finding] = [.error(.configuration, "a", ""), .warning("b", ""), .error(.plugin, "c", ""), .error(.unavailable, "d", "")]
        #expect(Finding.worst(bad) == .plugin)
        #expect(Finding.worst([.ok("a", ""), .warning("b", "")]) == .clean)
        #expect(Finding.worst([.error(.unavailable, "a", ""), .error(.configuration, "b", "")]) == .configuration)
        #expect(Finding.worst([]) == .clean)
    }
}
