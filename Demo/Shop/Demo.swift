/// The whole demo: brings the parts up, lets the shop run, takes them down in order, and says whether the books agree. Main thread only.
final class Demo {
    private static let stepSeconds = 0.4
    private static let deliverySeconds = 30.0
    /// The rate is that of so many last seconds.
    private static let rateSeconds = 5.0

    private let arguments: Arguments
    private let environment: [String: String]
    private let programs: String
    private let session: Session
    private let place: Place
    private var journal = Journal()
    private var arrivals: [Double] = []
    private var records = 0

    init(_ arguments: Arguments, environment: [String: String], programs: String, session: Session) {
        self.arguments = arguments
        // PG and KAFKA are the demo's; PG may hold a password.
        self.environment = environment.filter { !["PG", "KAFKA", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES"].contains($0.key) }
        self.programs = programs
        self.session = session
        place = Place(ownPostgres: arguments.postgres != nil, ownKafka: arguments.kafka != nil)
    }

    /// - Returns: whether committed, delivered and confirmed agree.
    /// - Throws: what a step failed with; what it had made by then is left to `session.undoAll`.
    func run() throws -> Bool {
        let screen = session.screen
        let directory = try TemporaryDirectory(environment: environment)
        session.atEnd("temporary directory") { [environment, session] in try directory.remove(environment: environment, session) }

        let postgres = try arguments.postgres ?? ThrowawayPostgres(in: directory, environment: environment, session).connectionString
        let database = try Database(postgres)
        let whose = arguments.postgres == nil ? "throwaway, in \(directory.path)" : "yours: \(database.place), schema \(place.schema)"
        screen.line("PostgreSQL  \(whose)")
        let leftover = try arguments.postgres == nil ? false : claim(database)
        let kafka = try bringKafka(in: directory, leftover: leftover)
        let tables = ShopTables(place: place)
        try tables.make(in: database)

        let consumer = try Consumer(bootstrapServers: kafka.servers, topics: kafka.topics, fromEnd: kafka.inUse)
        session.atEnd("consumer") { consumer.close() }
        let host = try HostProcess(
            program: "\(programs)/cdc-host", plugins: arguments.plugins, place: place, postgres: postgres, kafka: kafka.servers, in: directory,
            environment: environment)
        session.atEnd("cdc-host") { [session] in try host.stop(session) }
        let ready: Bool? = try session.wait(seconds: 60) {
            try host.mustRun()
            return try host.isReady && tables.confirmed(in: database) != nil ? true : nil
        }
        guard ready == true else { throw ShopError("cdc-host was not ready within 60 s\n" + host.lastLines) }
        let address = host.adminAddress ?? ""
        screen.line("cdc-host    --plugins \(arguments.plugins); topics \(place.stream).\(place.schema).*")
        screen.line("            status at http://\(address)/status, metrics at http://\(address)/metrics")
        screen.line()

        let table = RecordTable(of: place)
        table.header(on: screen)
        try showSnapshot(host, consumer, table)
        try serve(host, consumer, table, Storefront(database: database))
        return try finish(host, consumer, table, tables, database)
    }

    private func claim(_ database: Database) throws -> Bool {
        let tables = ShopTables(place: place)
        let leftover = try tables.claim(in: database)
        if leftover { session.screen.line("            what an earlier demo had left behind there is removed", .dim) }
        session.atEnd("schema, slot and publication") { [session] in
            let deadline = Moment.now + 10
            while try tables.slotIsActive(in: database), Moment.now < deadline, !session.hurry { session.pause(milliseconds: 100) }
            try tables.remove(from: database)
        }
        return leftover
    }

    /// - Returns: its bootstrap servers, the topics with the partitions that they have, and whether records may lie in them.
    private func bringKafka(in directory: TemporaryDirectory, leftover: Bool) throws -> (servers: String, topics: [ShopTopic], inUse: Bool) {
        guard let own = arguments.kafka else {
            let broker = try EmbeddedBroker(
                program: "\(programs)/embedded-kafka", topics: place.topics, in: directory, environment: environment, session)
            session.screen.line("Kafka       embedded, at \(broker.bootstrapServers)")
            return (broker.bootstrapServers, place.topics, false)
        }
        let administration = try TopicAdministration(bootstrapServers: own)
        let names = place.topics.map(\.name)
        let taken = try administration.names().intersection(names).sorted()
        let inUse = !taken.isEmpty && !administration.takesRequests
        if !taken.isEmpty && !inUse {
            guard leftover else {
                let list = taken.joined(separator: ", ")
                throw ShopError("Kafka has topics of these names already, and they are not this demo's: \(list); delete them first")
            }
            _ = try administration.remove(taken)
            // Kafka removes them in its own time.
            _ = try session.wait(seconds: 20) { try administration.names().isDisjoint(with: taken) ? true : nil }
        }
        let topics = try administration.create(place.topics)
        session.atEnd("topics") { [session] in
            guard try !administration.remove(names) else { return }
            session.screen.line("This Kafka removes no topics on request: \(names.joined(separator: ", ")) remain.")
        }
        session.screen.line("Kafka       yours, at \(own)")
        if inUse { session.screen.line("            an earlier demo's records cannot be removed there, and are passed over", .dim) }
        return (own, topics, inUse)
    }

    /// The rows that were there already: shown before the shop opens, so that the two do not mix.
    private func showSnapshot(_ host: HostProcess, _ consumer: Consumer, _ table: RecordTable) throws {
        session.screen.line([Piece("· the shop's first rows: they were there before cdc-host started", .dim)], cut: true)
        let deadline = Moment.now + Self.deliverySeconds
        while journal.snapshotRows < ShopTables.seededRows, Moment.now < deadline, !session.stopRequested {
            try host.mustRun()
            try take(from: consumer, table, milliseconds: 100)
            session.pause(milliseconds: 0)
        }
    }

    /// The shop is open: until a signal, or until time is up.
    private func serve(_ host: HostProcess, _ consumer: Consumer, _ table: RecordTable, _ shop: Storefront) throws {
        var shop = shop
        let opened = Moment.now
        var nextScene = opened
        var nextBottom = opened + 1
        while !session.stopRequested {
            let now = Moment.now
            if let seconds = arguments.seconds, now - opened >= seconds { break }
            if now >= nextScene {
                nextScene = now + Self.stepSeconds
                session.screen.line([Piece("· \(try shop.play(&journal))", .dim)], cut: true)
            }
            try take(from: consumer, table, milliseconds: 40)
            if now >= nextBottom {
                nextBottom = now + 0.5
                try host.mustRun()
                showBottom(host.lag, openFor: now - opened)
            }
            session.pause(milliseconds: 0)
        }
        session.screen.endBottom()
    }

    private func finish(
        _ host: HostProcess, _ consumer: Consumer, _ table: RecordTable, _ tables: ShopTables, _ database: Database
    ) throws -> Bool {
        session.screen.line("The shop closes; waiting until everything has arrived.", .dim)
        let deadline = Moment.now + Self.deliverySeconds
        while !journal.allDelivered, Moment.now < deadline, !session.hurry {
            try host.mustRun()
            try take(from: consumer, table, milliseconds: 100)
            session.pause(milliseconds: 0)
        }
        try host.stop(session)
        while try take(from: consumer, table, milliseconds: 300) {}
        return verdict(try tables.confirmed(in: database))
    }

    /// Shows the records that are there.
    /// - Returns: whether there were any.
    @discardableResult
    private func take(from consumer: Consumer, _ table: RecordTable, milliseconds: Int32) throws(ShopError) -> Bool {
        var wait = milliseconds
        var any = false
        while let record = try consumer.next(milliseconds: wait) {
            wait = 0
            any = true
            records += 1
            arrivals.append(Moment.now)
            journal.received(record)
            table.show(record, on: session.screen)
        }
        return any
    }

    private func showBottom(_ lag: HostProcess.Lag, openFor seconds: Double) {
        let now = Moment.now
        arrivals.removeAll { now - $0 > Self.rateSeconds }
        let rate = (Double(arrivals.count) / min(Self.rateSeconds, seconds) * 10).rounded() / 10
        let lagBytes = lag.bytes.map { "\($0) B" } ?? "?"
        let lagTime = lag.seconds.map { "\(Int(($0 * 1000).rounded())) ms" } ?? "?"
        session.screen.bottom([
            Piece("\(rate) records/s", .bold), Piece(" · lag \(lagBytes), \(lagTime)", .bold),
            Piece(" · \(journal.commits.count) transactions committed, \(journal.deliveredCommits.count) delivered · \(records) records"),
            Piece(arguments.seconds == nil ? " · Ctrl-C ends it" : "", .dim),
        ])
    }

    private func verdict(_ confirmed: LSN?) -> Bool {
        let screen = session.screen
        func row(_ word: String, _ commits: [Journal.Commit], _ where: String) {
            let lsn = commits.last.map { "\($0.lsn)" } ?? "-"
            screen.line("\(word.padded(to: 11))\(String(commits.count).leftPadded(to: 12))  \(lsn.padded(to: 14))  \(`where`)")
        }
        screen.line()
        screen.line("           transactions  last commit", .bold)
        row("committed", journal.commits, "by the shop, in PostgreSQL")
        row("delivered", journal.deliveredCommits, "seen by the consumer, in Kafka")
        row("confirmed", journal.confirmedCommits(upTo: confirmed), "by cdc-host, in the slot \(place.slot)")
        let sentences = journal.disagreements(confirmed: confirmed, seededRows: ShopTables.seededRows)
        if sentences.isEmpty {
            screen.line(
                [
                    Piece("All three agree", .good), Piece(": \(records) records, \(journal.snapshotRows) of them the snapshot's; "),
                    Piece("rolled back \(journal.rolledBack.count), of which nothing arrived."),
                ])
        } else {
            for sentence in sentences { screen.complain(sentence) }
        }
        return sentences.isEmpty
    }
}

extension String {
    /// At least `width` columns, blanks in front.
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
