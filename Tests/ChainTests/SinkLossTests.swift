@testable import Chain
import Pipeline
import PluginABI
import Testing

/// What a sink says of its records.
@Suite(.timeLimit(.minutes(1))) struct SinkLossTests {
    private func delivered(_ policy: RowPolicy = .stop) throws -> Rig {
        let rig = try Rig(sink: FakeSink(.byHand), policy: policy, rows: 1)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]) + Rig.transaction(200, ["2|b"]) + Rig.transaction(300, ["3|c"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.open == [1, 2, 3])
        return rig
    }

    @Test func aRetryableFailureRewindsToTheLastAcknowledgedTransaction() throws {
        let rig = try delivered()
        rig.sink.complete(1)
        rig.sink.complete(3)
        rig.sink.fail(2, index: 0, CDCP_FAIL_RETRYABLE)
        #expect(rig.inFlight.snapshot().loss == .rewind(""))
        let mark = rig.inFlight.rewind()
        #expect(rig.durable == mark.position)
        #expect(mark.position >= 50 && mark.position < 205)
        rig.lane.rewind(to: mark)
        rig.queue.clear()
        // A completion of the past.
        rig.sink.complete(2)
        #expect(rig.inFlight.snapshot().loss == nil)
        rig.send([Rig.table] + (mark.position < 105 ? Rig.transaction(100, ["1|a"]) : []) + Rig.transaction(200, ["2|b"]) + Rig.transaction(300, ["3|c"]))
        #expect(rig.run().word == "sourceEnded")
        rig.sink.completeAll()
        #expect(rig.durable == 305)
        #expect(rig.inFlight.snapshot().inFlightBytes == 0)
    }

    @Test func aRecordThatNeverSucceedsStopsOrIsSkipped() throws {
        let stopping = try delivered()
        stopping.sink.fail(2, index: 0, CDCP_FAIL_RECORD, code: CDCP_CODE_TOO_LARGE)
        guard case .record(let refusal) = stopping.inFlight.snapshot().loss else {
            Issue.record("no record was refused")
            return
        }
        #expect(refusal.topic == "cdc.public.items" && refusal.code == CDCP_CODE_TOO_LARGE && refusal.message.isEmpty)
        #expect(refusal.keyHash.count == 16 && refusal.bytes > 0 && refusal.after < 205)
        stopping.sink.complete(1)
        stopping.sink.complete(3)
        #expect(stopping.durable < 205)
        let skipping = try delivered(.skip)
        skipping.sink.fail(2, index: 0, CDCP_FAIL_RECORD, code: CDCP_CODE_TOO_LARGE)
        skipping.sink.completeAll()
        #expect(skipping.inFlight.snapshot().loss == nil)
        #expect(skipping.durable == 305)
        #expect(skipping.services.ears.skipped == ["60-sink \(CDCP_CODE_TOO_LARGE) 1"])
        #expect(skipping.services.ears.acknowledged == 2)
    }

    @Test func whatCannotBeSaidIsFatal() throws {
        let unknown = try delivered()
        unknown.sink.complete(99)
        #expect(unknown.inFlight.snapshot().loss == .fatal(code: CDCP_CODE_OTHER, message: "the sink completed submission 99, which is not open"))
        let twice = try delivered()
        twice.sink.complete(3)
        twice.sink.complete(3)
        #expect(twice.inFlight.snapshot().loss == .fatal(code: CDCP_CODE_OTHER, message: "the sink completed submission 3, which is not open"))
        let index = try delivered(.skip)
        index.sink.fail(2, index: 1, CDCP_FAIL_RECORD)
        #expect(index.inFlight.snapshot().loss == .fatal(code: CDCP_CODE_OTHER, message: "the sink breaks the contract: it failed record 1 of 1"))
        let kind = try delivered()
        kind.sink.fail(2, index: 0, 99)
        #expect(kind.inFlight.snapshot().loss == .fatal(code: CDCP_CODE_OTHER, message: ""))
    }

    @Test func aLossEndsTheLane() throws {
        let rig = try Rig(sink: FakeSink(.byHand), rows: 1)
        rig.start()
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(eventually { rig.sink.open == [1] })
        rig.sink.fail(1, index: 0, CDCP_FAIL_FATAL, code: CDCP_CODE_PERMISSION)
        #expect(rig.join().word == "abandoned")
        #expect(rig.inFlight.snapshot().loss == .fatal(code: CDCP_CODE_PERMISSION, message: ""))
        #expect(!rig.inFlight.drain(until: monotonicNow() + 1_000_000_000))
    }
}
