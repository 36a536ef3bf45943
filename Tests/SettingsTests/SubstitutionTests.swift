import Testing

@testable import Settings

@Suite struct SubstitutionTests {
    private static let environment = ["A": "1", "EMPTY": "", "TRICK": "x: [y]\n- ${env:A}", "P": hostilePassword]

    @Test(arguments: [
        ("plain $HOME", "plain $HOME"), ("${env:A}", "1"), ("<${env:A}-${env:A}>", "<1-1>"), ("${env:NONE:-d}", "d"), ("${env:NONE:-}", ""),
        ("${env:EMPTY:-d}", "d"), ("${env:EMPTY}", ""), ("${env:NONE:-a:-b}", "a:-b"), ("$${env:A}", "${env:A}"), ("$$${env:A}", "$${env:A}"),
        ("${env:TRICK}", "x: [y]\n- ${env:A}"), ("${env:P}", hostilePassword),
    ])
    func replaces(_ template: String, _ expected: String) throws {
        let result = try Substitution(template, .init(environment: Self.environment, directory: "."))
        #expect(result.text == expected)
    }

    @Test(arguments: [
        ("${env:NONE}", "NONE is not set"), ("${env:A", "without its }"), ("${HOME}", "unknown reference"), ("${env:}", "name of a variable"),
        ("${env:A B}", "name of a variable"), ("${file:}", "needs a path"), ("${file:/nowhere}", "/nowhere cannot be read"),
        ("${file:/}", "not a regular file"),
        ("${env:NONE:-${env:A}}", "do not nest"),
    ])
    func refuses(_ template: String, _ expected: String) {
        let error = #expect(throws: Substitution.Failure.self) { try Substitution(template, .init(environment: Self.environment, directory: ".")) }
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test func whatAFileHoldsIsInNoMessage() throws {
        let text = """
            name: a
            source: {connection: x, tables: {include: ["${file:.s}"]}, columns: {include: ["${file:.s}"]}}
            topics: {template: "{${file:.s}}"}
            log: {level: "${file:.s}"}
            """
        let problems = try ScratchDirectory(["host.yaml": text, ".s": "gehe im nis"]).problems().filter { !$0.contains(": warning: ") }
        #expect(problems.count == 4, "\(problems)")
        #expect(problems.allSatisfy { !$0.contains("gehe") && !$0.contains("nis") })
    }

    @Test func aMissingVariableIsSaidOnce() throws {
        let directory = try ScratchDirectory([
            "host.yaml": "name: a\nsource:\n  connection: \"${env:NONE}\"\nbatch:\n  rows: \"${env:NONE}\"\nadmin: {listen: \"${env:X}\"}\n"
        ])
        let problems = directory.problems()
        #expect(problems.count == 3)
        #expect(
            problems.first
                == "host.yaml:3:15: source.connection: the environment variable NONE is not set; set it, or give a default: ${env:NONE:-default}")
    }

    @Test func theResultTakesTheTypeOfItsKey() throws {
        let text = "name: a\nsource: {connection: x, slot: {create: \"${env:NO:-false}\", wait: \"${env:W:-7s}\"}}\nbatch: {rows: \"${env:R:-5}\"}\n"
        let good = try ScratchDirectory(["host.yaml": text]).read()
        #expect(good.problems.isEmpty)
        #expect(good.settings?.batch.rows == 5)
        #expect(good.settings?.source.slot.create == false)
        #expect(good.settings?.source.slot.wait == .seconds(7))
        let bad = try ScratchDirectory(["host.yaml": text]).problems(environment: ["R": "many", "NO": "no", "W": "7"])
        #expect(bad.count == 3)
        #expect(bad.allSatisfy { !$0.contains("write it in quotes") })
    }

    /// One password, every way in: it arrives whole and is never shown.
    @Test(arguments: ["env", "file", "file with newline"], ["yaml", "toml"])
    func hostilePasswordArrivesWhole(_ way: String, _ language: String) throws {
        let directory = try ScratchDirectory()
        try directory.write("secret", hostilePassword + (way == "file with newline" ? "\n" : ""))
        let reference = way == "env" ? "${env:PGPASS}" : "${file:secret}"
        let connections = [
            ("'host=h password=\(reference) user=u'", #"host=h password=%I\\a:\ {b}\ [c]\ #d\ \'e\'\ "f"\ $HOME\ ${X}\ &*!|>@/?=g\  user=u"#),
            ("\"host=h password='\(reference)' user=u\"", #"host=h password='%I\\a: {b} [c] #d \'e\' "f" $HOME ${X} &*!|>@/?=g ' user=u"#),
            (
                "\"postgresql://u:\(reference)@h:5432/d\"",
                "postgresql://u:%25I%5Ca%3A%20%7Bb%7D%20%5Bc%5D%20%23d%20%27e%27%20%22f%22%20%24HOME%20%24%7BX%7D%20%26%2A%21%7C%3E%40%2F%3F%3Dg%20@h:5432/d"
            ),
        ]
        for (written, expected) in connections {
            let host = language == "yaml" ? "name: a\nsource:\n  connection: \(written)\n" : "name = 'a'\n[source]\nconnection = \(written)\n"
            let stage =
                language == "yaml"
                ? "plugin: K\noptions:\n  'sasl.password': '\(reference)'\n" : "plugin = 'K'\n[options]\n\"sasl.password\" = '\(reference)'\n"
            for suffix in ["yaml", "toml"] where suffix == language {
                try directory.write("host.\(suffix)", host)
                try directory.write("60-sink.\(suffix)", stage)
            }
            let read = directory.read(environment: ["PGPASS": hostilePassword])
            let settings = try #require(read.settings)
            #expect(read.problems.filter { $0.severity == .error }.isEmpty)
            #expect(settings.source.connection.exposed == expected)
            let password = try #require(read.stages.first?.options["sasl.password"])
            #expect(password.text == hostilePassword)
            #expect(password.isSecret == (way != "env"))
            let shown = settings.dump + "\(settings)" + settings.source.connection.description
            #expect(!shown.contains("I\\a") && !shown.contains("%5Ca") && !shown.contains("g%20") && !shown.contains("HOME"))
            if way != "env" { #expect(password.shown == "***" && !"\(password)".contains("HOME")) }
        }
    }

    @Test func emptyValuesAndWholeReferencesOfAConnection() throws {
        func text(_ template: String, _ environment: [String: String]) throws -> String {
            ConnectionTemplate.text(try Substitution(template, .init(environment: environment, directory: ".")).parts)
        }
        #expect(try text("${env:C}", ["C": "host=h password=p"]) == "host=h password=p")
        #expect(try text("password=${env:C} user=u", ["C": ""]) == "password='' user=u")
        #expect(try text("postgresql://${env:H}/d", ["H": "a:1,b:2"]) == "postgresql://a:1,b:2/d")
        #expect(try text("postgresql://u@${env:H}/d?password=${env:C}", ["H": "h:1", "C": "a&b@"]) == "postgresql://u@h:1/d?password=a%26b%40")
        #expect(try text("postgresql://${env:U}:${env:C}@h/${env:D}", ["U": "u@x", "C": "/", "D": "d?"]) == "postgresql://u%40x:%2F@h/d%3F")
    }

    @Test(arguments: [
        ("postgresql://u:secret@h/d", "postgresql://u:***@h/d"), ("postgresql://u@h:5432/d", "postgresql://u@h:5432/d"),
        ("postgres://h:1/d", "postgres://h:1/d"),
        ("postgresql://u:se/c@re?t@h/d", "postgresql://u:***@h/d"),
        ("postgresql://h/d?password=x&a=b&sslpassword=y", "postgresql://h/d?password=***&a=b&sslpassword=***"),
        ("host=h password=x user=u", "host=h password=*** user=u"), ("host=h password = 'a \\' b' user=u", "host=h password=*** user=u"),
        ("password=a\\ b host=h", "password=*** host=h"), ("password='open", "***"), ("garbage", "***"),
        ("service=x passfile='/a b'", "service=x passfile='/a b'"),
        ("PASSWORD=x", "PASSWORD=***"), ("postgresql://h/d?%70assword=x", "postgresql://h/d?%70assword=***"),
    ])
    func redacts(_ connection: String, _ expected: String) {
        #expect(ConnectionRedaction.redacted(connection) == expected)
    }
}
