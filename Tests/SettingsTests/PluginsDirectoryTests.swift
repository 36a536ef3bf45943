import Glibc
import Testing

@testable import Settings

@Suite struct PluginsDirectoryTests {
    private static let stage = "plugin: Filter\n"

    /// Lines that must appear, in this order, each beginning with the place and holding the words.
    private func expect(_ problems: [String], _ expected: [(String, [String])]) {
        #expect(problems.count == expected.count, "\(problems.joined(separator: "\n"))")
        for (problem, (start, words)) in zip(problems, expected) {
            #expect(problem.hasPrefix(start), "\(problem) does not begin with \(start)")
            for word in words { #expect(problem.contains(word), "\(problem) lacks \(word)") }
        }
    }

    @Test func everyMistakeOfADirectoryAtOnce() throws {
        let directory = try ScratchDirectory([
            "host.yaml": """
            nam: shop
            source:
              connection: "host=h password=geheim123"
              tables: public.orders
              slot: { name: "Bad Slot", failover: true }
              mode: polling
              status_interval: 10
              columns: { exclude: [public.orders] }
              rows: { "public.a.b": "true" }
            snapshot: { mode: when_needed, workers: 4, chunk_rows: 0 }
            limits:
              in_flight: 24mb
              record: 1MB
              record: 2MB
              stop: 99999d
            log: { level: verbose, format: 5 }
            admin: { listen: "9464" }
            topics: { template: "{prefix}.{tabel}" }
            retry: { give_up_after: nevr, initial: }
            dead_letters: { topic: x, valuse: none }
            batch: [1]
            """,
            "20-filter.yaml": "plugin: Filter\non_eror: skip\nmatch:\n  tables: public.orders\n  ops: [insrt]\ncolumns: []\n",
            "30-masking.toml":
                "plugin = \"Masking\"\non_error = \"dlq\"\nsha256 = \"abc\"\n[match]\ntables = [\"orders\", \"public.a.b\", \"public.Order Items\"]\n",
            "40-codec.yaml": "plugin: JSONCodec\noptions:\n\tformat: compact\nstag: x\n",
            "50-a.toml": "plugin = \"A\"\nplugin = \"B\"\n",
            "50-b.yml": "options: {}\n",
            "60-sink.yaml": "plugin: KafkaSink\noptions: [x\n",
            "readme.txt": "x", "7-x.yaml": "plugin: A", ".hidden": "", "x.bak": "", "y~": "", "z.disabled": "", "a.dpkg-old": "", "b.rpmsave": "",
        ])
        expect(
            directory.problems(),
            [
                ("20-filter.yaml:2:1: on_eror:", ["on_error"]),
                ("20-filter.yaml:4:11: match.tables:", ["[\"public.orders\"]", "list"]),
                ("20-filter.yaml:5:9: match.ops[0]:", ["insrt", "did you mean insert?", "truncate"]),
                ("20-filter.yaml:6:1: columns:", ["under options"]),
                ("30-masking.toml:2:12: on_error:", ["later version", "skip"]),
                ("30-masking.toml:3:10: sha256:", ["64 hex"]),
                ("30-masking.toml:5:11: match.tables[0]:", ["public.orders"]),
                ("30-masking.toml:5:21: match.tables[1]:", ["public.\"a.b\""]),
                ("30-masking.toml:5:35: match.tables[2]:", ["double quotes"]),
                ("40-codec.yaml:3:1:", ["tab"]),
                ("40-codec.yaml:4:1: stag:", ["stage"]),
                ("50-a.toml:2:", ["plugin"]),
                ("50-b.yml:", ["50-a.toml", "number"]),
                ("50-b.yml:1:1: plugin:", ["missing"]),
                ("60-sink.yaml:2:10: options:", ["a list"]),
                ("60-sink.yaml:3:1:", ["not YAML"]),
                ("7-x.yaml: warning:", ["NN-name"]),
                ("host.yaml:1:1: nam:", ["did you mean name?"]),
                ("host.yaml:1:1: name:", ["missing"]),
                ("host.yaml:4:11: source.tables:", ["{ include: [\"public.orders\"] }"]),
                ("host.yaml:5:17: source.slot.name:", ["a-z, 0-9 and _"]),
                ("host.yaml:5:29: source.slot.failover:", ["later version"]),
                ("host.yaml:6:9: source.mode:", ["later version"]),
                ("host.yaml:7:20: source.status_interval:", ["10s", "without a unit"]),
                ("host.yaml:8:24: source.columns.exclude[0]:", ["schema.table.column"]),
                ("host.yaml:9:11: source.rows.\"public.a.b\":", ["public.\"a.b\""]),
                ("host.yaml:10:19: snapshot.mode:", ["later version"]),
                ("host.yaml:10:41: snapshot.workers:", ["later version"]),
                ("host.yaml:10:56: snapshot.chunk_rows:", ["1"]),
                ("host.yaml:12:14: limits.in_flight:", ["24MB", "MiB"]),
                ("host.yaml:14:3: limits.record:", ["second time", "line 13"]),
                ("host.yaml:15:9: limits.stop:", ["at most 1d"]),
                ("host.yaml:16:15: log.level:", ["verbose", "debug, info, warning, error"]),
                ("host.yaml:16:32: log.format:", ["text, json"]),
                ("host.yaml:17:18: admin.listen:", ["HOST:PORT"]),
                ("host.yaml:18:21: topics.template:", ["{tabel}", "table"]),
                ("host.yaml:19:25: retry.give_up_after:", ["never"]),
                ("host.yaml:19:31: retry.initial:", ["no value", "250ms"]),
                ("host.yaml:20:27: dead_letters.valuse:", ["values"]),
                ("host.yaml:21:8: batch:", ["a list"]),
                ("readme.txt: warning:", ["not read"]),
            ])
        #expect(!directory.read().isUsable)
        #expect(!directory.problems().contains { $0.contains("geheim") })
    }

    @Test func aDirectoryThatIsNotThereOrEmpty() throws {
        #expect(
            PluginsDirectory.read(path: "/nowhere/plugins.d", environment: [:]).problems.map(\.description).first?.contains("no such directory")
                == true)
        expect(try ScratchDirectory().problems(), [("DIR: ", ["host.yaml"])])
        let two = try ScratchDirectory(["host.yaml": "name: a\nsource: {connection: x}", "host.toml": "name = \"a\"\n[source]\nconnection = \"x\"\n"])
        expect(two.problems(), [("host.yaml: ", ["host.toml"])])
    }

    @Test func defaults() throws {
        let directory = try ScratchDirectory([
            "host.toml": "name = \"My-shop.x\"\n[source]\nconnection = \"postgresql://u:pw@h/d\"\n", "10-a.yaml": "plugin: A\noptions:\n",
        ])
        let read = directory.read(environment: ["STATE_DIRECTORY": "/var/lib/x:/y"])
        let settings = try #require(read.settings)
        #expect(read.isUsable)
        #expect(
            settings.dump == """
                name = My-shop.x
                source.connection = postgresql://u:***@h/d
                source.mode = stream
                source.slot.name = cdc_my_shop_x
                source.slot.create = true
                source.slot.drop_on_stop = false
                source.slot.wait = wal_sender_timeout + 10s
                source.publication.name = cdc_my_shop_x
                source.publication.manage = true
                source.tables.include = [public.*]
                source.tables.exclude = []
                source.columns.include = []
                source.columns.exclude = []
                source.rows = {}
                source.status_interval = 10s
                source.connect_timeout = 10s
                source.silence_timeout = 1m
                snapshot.mode = initial
                snapshot.workers = 1
                snapshot.chunk_rows = 100000
                topics.prefix = My-shop.x
                topics.template = {prefix}.{schema}.{table}
                state.directory = /var/lib/x
                limits.in_flight = 24MiB
                limits.record = 1MB
                limits.stop = 30s
                batch.rows = 512
                batch.bytes = 1MiB
                retry.initial = 100ms
                retry.max = 30s
                retry.give_up_after = never
                dead_letters.topic = My-shop.x.dead-letters
                dead_letters.values = original
                admin.listen = 127.0.0.1:9464
                log.level = info
                log.format = text
                log.file = standard error

                """)
        #expect(read.stages.map(\.name) == ["10-a"])
        #expect(read.stages.first?.options.kind == .map)
    }

    @Test func relativePathsBeginAtTheirFile() throws {
        let directory = try ScratchDirectory([
            "host.yaml": "name: a\nsource: {connection: x}\nlog: {file: log/x.log}\nadmin: {listen: 'unix:a.sock'}\nstate: {directory: s}"
        ])
        let settings = try #require(directory.read().settings)
        #expect(settings.log.file == "\(directory.path)/log/x.log")
        #expect(settings.adminListen == .unix(path: "\(directory.path)/a.sock"))
        #expect(settings.stateDirectory == "s")
    }

    @Test func differingKeysNameWhatAReloadCannotTake() throws {
        let one = try ScratchDirectory(["host.yaml": "name: a\nsource: {connection: 'password=x'}"])
        let other = try ScratchDirectory(["host.yaml": "name: a\nsource: {connection: 'password=y', slot: {name: other}}\nlog: {level: debug}"])
        let left = try #require(one.read().settings)
        let right = try #require(other.read().settings)
        #expect(left != right)
        #expect(left.differingKeys(from: right) == ["source.connection", "source.slot.name", "log.level"])
        #expect(left.differingKeys(from: left).isEmpty)
    }

    @Test func whoeverCanWriteTheFilesIsNamed() throws {
        let directory = try ScratchDirectory(["host.yaml": "name: a\nsource: {connection: 'password=${file:.secret}'}", ".secret": "x", "20-f.yaml": Self.stage])
        chmod(directory.path + "/.secret", 0o640)
        #expect(directory.problems() == [])
        chmod(directory.path, 0o770)
        chmod(directory.path + "/20-f.yaml", 0o646)
        chmod(directory.path + "/.secret", 0o604)
        let problems = directory.problems()
        expect(
            problems,
            [("DIR: warning: may be written", ["0770", "chmod go-w"]), ("20-f.yaml: warning: may be written", ["0646"]),
                ("host.yaml:2:22: warning: source.connection:", [".secret", "0604", "chmod o-rw"])])
        #expect(directory.read().isUsable)
    }

    @Test func aLibraryBesideItsStageIsNoStranger() throws {
        let directory = try ScratchDirectory(["host.yaml": "name: a\nsource: {connection: x}", "20-a.yaml": "plugin: ./a.so\n", "a.so": "", "b.so": ""])
        #expect(directory.problems().map { String($0.prefix(14)) } == ["b.so: warning:"])
    }

    @Test func aFileIsNoDirectory() throws {
        let directory = try ScratchDirectory(["host.yaml": ""])
        let problems = PluginsDirectory.read(path: directory.path + "/host.yaml", environment: [:]).problems
        #expect(problems.map(\.message).first?.contains("is no directory") == true)
    }

    @Test func defaultsAloneMakeSettingsForTrials() {
        let settings = HostSettings.byDefault([:])
        #expect(settings.batch.rows == 512 && settings.limits.inFlight == 24 << 20 && settings.topics.template == "{prefix}.{schema}.{table}")
    }

    /// The repository's own plugins.d holds without any variable, and with those that the demo sets.
    @Test(arguments: [
        [:], ["CDC_PG": "host=/tmp user=x", "CDC_TABLES": "shop.orders, shop.\"Order Items\"", "CDC_KAFKA": "k:1", "CDC_ADMIN": "off"],
    ])
    func ownPluginsDirectory(environment: [String: String]) throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let read = PluginsDirectory.read(path: "/\(root)/plugins.d", environment: environment)
        #expect(read.problems.filter { $0.severity == .error }.map(\.description) == [])
        #expect(read.isUsable)
        #expect(read.stages.map(\.plugin) == ["PgOutput", "Filter", "Masking", "JSONCodec", "KeyPartitioner", "KafkaSink"])
        #expect(read.settings?.source.tables.include.count == (environment.isEmpty ? 1 : 2))
        let kafka = read.stages.last?.options["kafka"]?["bootstrap.servers"]
        #expect(kafka?.text == environment["CDC_KAFKA"] ?? "127.0.0.1:9092")
        #expect(kafka?.origin.hasSuffix("60-sink.toml:10:23: options.kafka.\"bootstrap.servers\"") == true)
        let roles: [StageRole] = [.decoder, .transform, .transform, .codec, .partitioner, .sink]
        let facts = zip(read.stages, roles).map {
            StageFacts(settings: $0, role: $1, seesEveryOp: $0.plugin == "Masking", needsPartitioner: $0.plugin == "KafkaSink")
        }
        #expect(StageOrder.problems(facts, directory: "plugins.d").isEmpty)
        #expect(
            StageOrder.problems(facts.dropLast(2) + [facts[5]], directory: "plugins.d").map(\.message).first?.contains("needs a partitioner") == true)
        #expect(
            StageOrder.problems([facts[0], facts[3], facts[1], facts[4], facts[5]], directory: "d").map(\.message).first?.contains("behind 40-codec")
                == true)
        #expect(StageOrder.problems([], directory: "d").count == 3)
    }
}
