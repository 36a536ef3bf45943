import Testing

@testable import Postgres

@Suite(.enabled(if: TestServer.isAvailable), .serialized, .timeLimit(.minutes(2))) struct SlotTests {
    private func prepared(_ name: String) throws -> TestServer {
        let server = try #require(TestServer.shared)
        try server.makeDatabase(name)
        return server
    }

    @Test func madeSeenMovedAndDropped() throws {
        let server = try prepared("slots")
        let connection = try server.connect(database: "slots")
        let replication = try server.connect(database: "slots", replication: true)
        let identity = try Slot.identity(on: replication)
        #expect(identity.timeline == 1 && identity.systemIdentifier.count > 10)
        #expect(try replication.walSenderTimeout() == .seconds(2))
        #expect(try Slot.state(of: "s_one", on: connection) == nil)
        let slot = try Slot.create("s_one", on: replication, exportingSnapshot: true, observer: nil)
        #expect(slot.snapshot != nil)
        let state = try #require(try Slot.state(of: "s_one", on: connection))
        #expect(state.plugin == "pgoutput" && state.database == "slots" && !state.isActive && state.confirmedFlushLSN == slot.consistentPoint)
        #expect(state.walStatus == "reserved" && state.invalidation == nil)
        let twice = #expect(throws: PostgresError.self) { try Slot.create("s_one", on: replication, exportingSnapshot: false, observer: nil) }
        #expect(twice?.sqlstate == "42710" && twice?.failure == .slot)
        let end = try Slot.identity(on: replication).position
        #expect(try Slot.advance("s_one", to: end, on: connection) >= slot.consistentPoint)
        try Slot.drop("s_one", on: connection)
        let gone = #expect(throws: PostgresError.self) { try Slot.drop("s_one", on: connection) }
        #expect(gone?.failure == .slot)
        #expect(!Slot.isValidName("S-1") && Slot.isValidName("cdc_shop"))
    }

    @Test func creationBehindAnOpenTransactionSaysSoAndCanBeInterrupted() throws {
        let server = try prepared("waits")
        let blocker = try server.connect(database: "waits")
        try blocker.execute("CREATE TABLE public.t(id int); BEGIN; INSERT INTO public.t VALUES (1)")
        let interrupt = try Interrupt()
        let creation = Background { () -> (PostgresError.Kind?, [SlotWait]) in
            var waits: [SlotWait] = []
            let observer = try server.connect(database: "waits")
            let replication = try server.connect(database: "waits", replication: true, interrupt: interrupt)
            do {
                _ = try Slot.create("s_wait", on: replication, exportingSnapshot: true, observer: observer) { waits.append($0) }
                return (nil, waits)
            } catch let error as PostgresError { return (error.kind, waits) }
        }
        sleepMilliseconds(4_000)
        interrupt.interrupt()
        let (kind, waits) = try creation.wait()
        #expect(kind == .interrupted)
        #expect(waits.first?.pid == blocker.backendPID)
        #expect((waits.first?.transactionAge ?? .zero) >= .seconds(2))
        let watcher = try server.connect(database: "waits")
        #expect(try Slot.state(of: "s_wait", on: watcher) == nil)
        #expect(try eventually { try watcher.query("SELECT FROM pg_stat_activity WHERE backend_type = 'walsender' AND datname = 'waits'").isEmpty })
    }

    @Test func creationGoesOnWhenTheTransactionEnds() throws {
        let server = try prepared("goeson")
        let blocker = try server.connect(database: "goeson")
        try blocker.execute("CREATE TABLE public.t(id int); BEGIN; INSERT INTO public.t VALUES (1); PREPARE TRANSACTION 'in the way'")
        let creation = Background { () -> [SlotWait] in
            var waits: [SlotWait] = []
            let observer = try server.connect(database: "goeson")
            let replication = try server.connect(database: "goeson", replication: true)
            _ = try Slot.create("s_goes", on: replication, exportingSnapshot: false, observer: observer) { waits.append($0) }
            return waits
        }
        sleepMilliseconds(3_500)
        try blocker.execute("COMMIT PREPARED 'in the way'")
        #expect(try creation.wait().first?.preparedTransaction == "in the way")
        try Slot.drop("s_goes", on: blocker)
    }
}
