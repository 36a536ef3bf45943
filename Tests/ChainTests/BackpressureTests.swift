@testable import Chain
import Pipeline
import PluginABI
import Testing

/// What is bounded, and that whoever waits goes on.
@Suite(.timeLimit(.minutes(1))) struct BackpressureTests {
    @Test func aFullBudgetHoldsTheLaneUntilTheSinkCompletes() throws {
        let rig = try Rig(sink: FakeSink(.byHand), limit: 2000, rows: 2)
        rig.send([Rig.table] + Rig.transaction(100, (1...8).map { "\($0)|x" }))
        rig.start()
        // 1500 bytes for records, more than 256 each: two batches of two rows.
        #expect(eventually { rig.sink.sizes.count == 2 })
        #expect(eventually { rig.services.ears.backpressure == [true] })
        #expect(rig.sink.sizes == [2, 2])
        for _ in 0..<4 {
            rig.sink.completeAll()
            _ = eventually { !rig.sink.open.isEmpty || rig.sink.sizes.count == 4 }
        }
        rig.sink.completeAll()
        rig.lane.sourceEnded()
        #expect(rig.join().word == "sourceEnded")
        #expect(rig.sink.values.count == 8)
        #expect(rig.services.ears.backpressure == [true, false])
        #expect(rig.durable == 105)
    }

    @Test func theSourceIsHeldAndWokenAgain() throws {
        let rig = try Rig(sink: FakeSink(.byHand), limit: 4000, rows: 1)
        nonisolated(unsafe) var woken = 0
        rig.queue.onRoom = { woken += 1 }
        #expect(rig.send(Rig.table))
        var sent = 1
        while rig.send(Rig.transaction(UInt64(100 * sent), ["\(sent)|x"])) { sent += 1 }
        #expect(sent < 20)
        #expect(woken == 0)
        rig.start()
        #expect(eventually { !rig.sink.open.isEmpty })
        while rig.sink.records.count < sent { rig.sink.completeAll() }
        #expect(rig.queue.waitForRoom())
        #expect(woken == 1)
        #expect(rig.send("B 9000"))
        rig.lane.sourceEnded()
        #expect(rig.join().word == "sourceEnded")
        rig.sink.completeAll()
        #expect(rig.inFlight.snapshot().inFlightBytes == 0)
    }

    @Test func aSinkThatIsFullIsAskedAgain() throws {
        let rig = try Rig()
        rig.sink.refuse([CDCP_E_AGAIN, CDCP_E_RETRY, CDCP_E_AGAIN])
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.sizes == [1])
        #expect(rig.durable == 105)
    }

    @Test func theLastSubmissionSaysThatNothingMoreIsAtHand() throws {
        let rig = try Rig(rows: 2)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a", "2|b", "3|c"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.flags == [0, UInt32(CDCP_SUBMITF_LAST)])
    }

    @Test func headersAreChargedToo() throws {
        let codec = FakeCodec.make()
        codec.encode = { batch, emitter in
            FakeStage.rows(batch) { row, _, _ in
                _ = FakeCodec.header(emitter, "h", String(repeating: "x", count: 1000))
                _ = FakeCodec.emit(emitter, row: row, key: "k", value: "v")
            }
            return CDCP_OK
        }
        let rig = try Rig(codec: codec, sink: FakeSink(.byHand))
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.inFlight.snapshot().inFlightBytes > 1000 + ByteBudget.recordCharge)
    }

    /// Inside a transaction rows wait for the rest of it, but never so long that the source could not go on.
    @Test func anOpenTransactionIsGatheredUntilTheSourceWaits() throws {
        let rig = try Rig(limit: 8000)
        rig.start()
        rig.send(Rig.table, "B 100")
        var sent = 0
        while sent < 500, rig.send("I 1 \(sent)|" + String(repeating: "x", count: 100)) { sent += 1 }
        while sent < 500 {
            #expect(rig.queue.waitForRoom())
            rig.send("I 1 \(sent)|" + String(repeating: "x", count: 100))
            sent += 1
        }
        rig.send("C 100 105")
        #expect(eventually { rig.durable == 105 })
        #expect(rig.sink.sizes.count > 1 && rig.sink.sizes.count < 200)
        #expect(rig.inFlight.snapshot().transactions == 1)
        rig.lane.sourceEnded()
        #expect(rig.join().word == "sourceEnded")
    }

    @Test func abandonEndsAWaitForRoom() throws {
        let rig = try Rig(sink: FakeSink(.byHand), limit: 1000, rows: 1)
        rig.send([Rig.table] + Rig.transaction(100, (1...8).map { "\($0)|x" }))
        rig.start()
        #expect(eventually { !rig.sink.open.isEmpty })
        rig.lane.abandon()
        #expect(rig.join().word == "abandoned")
        #expect(rig.durable == 50)
    }

    @Test func aStopWaitsForTheEndOfTheTransaction() throws {
        let rig = try Rig(rows: 1)
        rig.send([Rig.table, "B 100", "I 1 1|a"])
        rig.start()
        #expect(eventually { rig.sink.values.count == 1 })
        rig.lane.requestStop()
        rig.send("I 1 2|b", "C 100 105", "B 200", "I 1 3|c", "C 200 205")
        #expect(rig.join().word == "boundary")
        #expect(rig.sink.values == ["1 1 1,a", "1 2 2,b"])
        #expect(rig.durable == 105)
    }

    /// What was cut off is half delivered: a clean stop before it has come again would repeat its first half.
    @Test func aStopWaitsForATransactionThatWasCutOff() throws {
        let rig = try Rig()
        rig.send([Rig.table, "B 100", "I 1 1|a"])
        #expect(rig.run().word == "sourceEnded")
        rig.lane.disconnected()
        rig.queue.clear()
        rig.lane.requestStop()
        rig.send([Rig.table] + Rig.transaction(100, ["1|a", "2|b"]))
        rig.start()
        #expect(rig.join().word == "boundary")
        #expect(rig.sink.values == ["1 1 1,a", "1 2 2,b"])
        #expect(rig.durable == 105)
    }

    /// The connection may fail before the stage thread has come to its work.
    @Test func aSourceThatEndsBeforeTheLaneRunsIsNoticed() throws {
        let rig = try Rig()
        rig.lane.sourceEnded()
        rig.start()
        #expect(rig.join().word == "sourceEnded")
        rig.lane.disconnected()
        rig.queue.clear()
        rig.start()
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(eventually { rig.durable == 105 })
        rig.lane.sourceEnded()
        #expect(rig.join().word == "sourceEnded")
    }
}
