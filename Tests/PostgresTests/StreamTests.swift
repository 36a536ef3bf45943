import Glibc
import Synchronization
import Testing

@testable import Postgres

/// Records what comes; what it answers can be changed from the test's thread.
final class RecordingReceiver: ReplicationReceiver, Sendable {
    struct Seen {
        var kinds = ""
        var bytes = 0
        var keepalives = 0
        var drains = 0
        var end = LSN.zero
        var flushed = LSN.zero
        var flow = Flow.proceed
    }
    let seen = Mutex(Seen())

    func received(_ payload: UnsafeRawBufferPointer, at place: WALPlace) -> Flow {
        seen.withLock {
            $0.kinds.append(Character(Unicode.Scalar(payload[0])))
            $0.bytes += payload.count
            $0.end = max($0.end, place.end)
            return $0.flow
        }
    }

    func keepalive(walEnd: LSN, sentAt: Int64, replyRequested: Bool) -> Flow {
        seen.withLock {
            $0.keepalives += 1
            $0.end = max($0.end, walEnd)
            return $0.flow
        }
    }

    func drained() -> Flow {
        seen.withLock {
            $0.drains += 1
            return $0.flow
        }
    }

    func mayProceed() -> Flow { seen.withLock { $0.flow } }
    func progress() -> StandbyProgress { seen.withLock { StandbyProgress(written: $0.end, flushed: $0.flushed, applied: $0.flushed) } }
    var kinds: String { seen.withLock { $0.kinds } }
    func answer(_ flow: Flow) { seen.withLock { $0.flow = flow } }
    func confirm() { seen.withLock { $0.flushed = $0.end } }
}

@Suite(.enabled(if: TestServer.isAvailable), .serialized, .timeLimit(.minutes(3))) struct StreamTests {

    private func running(_ name: String, tcp: Bool = true, silence: Duration = .seconds(60)) throws -> (
        RecordingReceiver, Interrupt, ReplicationStream, Connection, Background<StreamEnd>
    ) {
        let server = try #require(TestServer.shared)
        try server.makeDatabase(name)
        let writer = try server.connect(database: name)
        try writer.execute(
            "CREATE TABLE public.t(id int PRIMARY KEY, v text); CREATE TABLE public.other(v text); CREATE PUBLICATION \"p'\"\"ub\" FOR TABLE public.t"
        )
        let maker = try server.connect(database: name, replication: true)
        _ = try Slot.create("s_\(name)", on: maker, exportingSnapshot: false, observer: nil)
        let receiver = RecordingReceiver()
        let interrupt = try Interrupt()
        let stream = ReplicationStream(interrupt: interrupt)
        let run = Background {
            let connection = try server.connect(database: name, tcp: tcp, replication: true, interrupt: interrupt, silence: silence)
            let timeout = try connection.walSenderTimeout()
            let options = ReplicationStream.Options(
                slot: "s_\(name)", start: .zero, publications: ["p'\"ub"], pluginOptions: [("proto_version", "1"), ("messages", "true")],
                walSenderTimeout: timeout)
            return try stream.run(on: connection, options: options, receiver: receiver)
        }
        return (receiver, interrupt, stream, writer, run)
    }

    private func confirmed(_ name: String, _ connection: Connection) throws -> LSN {
        try #require(try Slot.state(of: "s_\(name)", on: connection)?.confirmedFlushLSN)
    }

    @Test(arguments: [true, false]) func transactionsArriveAndAStopConfirmsThem(tcp: Bool) throws {
        let name = "stream_\(tcp)"
        let (receiver, _, stream, writer, run) = try running(name, tcp: tcp)
        try writer.execute("INSERT INTO public.t VALUES (1, 'a'); INSERT INTO public.t VALUES (2, 'b')")
        try writer.execute("UPDATE public.t SET id = 3 WHERE id = 1")
        try writer.execute("DELETE FROM public.t")
        try writer.query("SELECT pg_logical_emit_message(true, 'p', 'content')")
        #expect(eventually { receiver.kinds == "BRIICBUCBDDCBMC" })
        receiver.confirm()
        let end = receiver.seen.withLock { $0.flushed }
        stream.stop()
        #expect(try run.wait() == .goodbye)
        #expect(try confirmed(name, writer) == end)
        try Slot.drop("s_\(name)", on: writer)
    }

    @Test func statusMovesTheSlotWithoutAStop() throws {
        let (receiver, interrupt, stream, writer, run) = try running("moves")
        try writer.execute("INSERT INTO public.t VALUES (1, 'a')")
        #expect(eventually { receiver.kinds == "BRIC" })
        receiver.confirm()
        let end = receiver.seen.withLock { $0.flushed }
        stream.requestStatus()
        #expect(try eventually(seconds: 1) { try confirmed("moves", writer) == end })
        interrupt.interrupt()
        let error = #expect(throws: PostgresError.self) { try run.wait() }
        #expect(error?.kind == .interrupted)
    }

    @Test func aPauseKeepsTheWalsenderAliveAndAWakeReadsOn() throws {
        let (receiver, interrupt, stream, writer, run) = try running("pauses")
        receiver.answer(.pause)
        let sender = try #require(
            try eventuallyValue { try writer.query("SELECT active_pid FROM pg_replication_slots WHERE slot_name = 's_pauses' AND active").first?[0] })
        try writer.execute("INSERT INTO public.t SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i")
        sleepMilliseconds(6_000)
        #expect(receiver.kinds.count <= 2)
        #expect(try writer.query("SELECT active_pid FROM pg_replication_slots WHERE slot_name = 's_pauses'").first?[0] == sender)
        let start = ContinuousClock.now
        receiver.answer(.proceed)
        interrupt.wake()
        #expect(eventually(seconds: 1) { receiver.kinds.count > 1 })
        #expect(ContinuousClock.now - start < .milliseconds(200))
        #expect(eventually { receiver.kinds.count == 20_003 })
        stream.stop()
        #expect(try run.wait() == .goodbye)
        #expect(TestServer.shared?.log.contains("due to replication timeout") == false)
    }

    @Test func whatLibpqHoldsComesAtOnceAfterAPause() throws {
        let (receiver, interrupt, stream, writer, run) = try running("held")
        #expect(eventually { receiver.seen.withLock { $0.keepalives } > 0 })
        receiver.answer(.pause)
        try writer.execute("INSERT INTO public.t VALUES (1, 'a')")
        sleepMilliseconds(300)
        let paused = receiver.kinds
        #expect(paused == "" || paused == "B")
        receiver.answer(.proceed)
        interrupt.wake()
        #expect(eventually(seconds: 0.2) { receiver.kinds == "BRIC" })
        stream.stop()
        #expect(try run.wait() == .goodbye)
    }

    @Test func stopWhilePausedEndsWithinItsDeadline() throws {
        let (receiver, _, stream, writer, run) = try running("stops")
        receiver.answer(.pause)
        try writer.execute("INSERT INTO public.t VALUES (1, 'a')")
        sleepMilliseconds(300)
        let start = ContinuousClock.now
        stream.stop()
        _ = try run.wait()
        #expect(ContinuousClock.now - start < .seconds(6))
    }

    @Test func terminationCarriesItsCode() throws {
        let (_, _, _, writer, run) = try running("killed")
        #expect(
            try eventually {
                try writer.query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 's_killed' AND active").count
                    == 1
            })
        let error = #expect(throws: PostgresError.self) { try run.wait() }
        #expect(error?.sqlstate == "57P01")
        #expect(error?.failure == .retryable)
    }

    @Test func slotInUseAndMissingSlotAndMissingPublication() throws {
        let (_, interrupt, _, writer, run) = try running("inuse")
        #expect(try eventually { try Slot.state(of: "s_inuse", on: writer)?.isActive == true })
        let server = try #require(TestServer.shared)
        func start(_ slot: String, publication: String = "p'\"ub") throws {
            let second = try server.connect(database: "inuse", replication: true)
            try ReplicationStream(interrupt: Interrupt()).run(
                on: second, options: .init(slot: slot, start: .zero, publications: [publication]), receiver: RecordingReceiver())
        }
        #expect(#expect(throws: PostgresError.self) { try start("s_inuse") }?.failure == .slotInUse)
        #expect(#expect(throws: PostgresError.self) { try start("s_nowhere") }?.failure == .slot)
        interrupt.interrupt()
        _ = try? run.wait()
        #expect(try eventually { try Slot.state(of: "s_inuse", on: writer)?.isActive == false })
        try writer.execute("INSERT INTO public.t VALUES (77, 'a')")
        #expect(#expect(throws: PostgresError.self) { try start("s_inuse", publication: "absent") }?.failure == .slot)
    }

    @Test func aSilentServerIsGivenUp() throws {
        let (receiver, _, _, writer, run) = try running("silent", silence: .milliseconds(1_500))
        #expect(eventually { receiver.seen.withLock { $0.keepalives } > 0 })
        // An idle but living server answers each question: the stream outlives several silences.
        sleepMilliseconds(4_000)
        let pid = try #require(try Slot.state(of: "s_silent", on: writer)?.activePID)
        kill(pid, SIGSTOP)
        let start = ContinuousClock.now
        let error = #expect(throws: PostgresError.self) { try run.wait() }
        kill(pid, SIGCONT)
        #expect(error?.kind == .timeout)
        #expect(ContinuousClock.now - start < .milliseconds(2_500))
    }

    @Test func aWakeIsFast() throws {
        let (receiver, interrupt, _, _, run) = try running("wakes")
        sleepMilliseconds(300)
        let before = receiver.seen.withLock { $0.drains }
        let start = ContinuousClock.now
        interrupt.wake()
        #expect(eventually(seconds: 1) { receiver.seen.withLock { $0.drains } > before })
        #expect(ContinuousClock.now - start < .milliseconds(100))
        interrupt.interrupt()
        #expect(throws: PostgresError.self) { try run.wait(seconds: 2) }
    }
}

private func eventuallyValue<V>(_ value: () throws -> V?) rethrows -> V? {
    var found: V?
    _ = try eventually {
        found = try value()
        return found != nil
    }
    return found
}
