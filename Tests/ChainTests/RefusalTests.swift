@testable import Chain
import Pipeline
import PluginABI
import Testing

/// What stops a lane, exactly where, and what was acknowledged before.
@Suite(.timeLimit(.minutes(1))) struct RefusalTests {
    private func failing(_ key: String) -> FakeStage {
        let stage = FakeStage(CDCP_ROLE_TRANSFORM, "20-check")
        stage.process = { batch in
            FakeStage.rows(batch) { index, row, _ in if shown(row.pointee.new_cells[0]) == key { stage.fail(batch, index) } }
            return CDCP_OK
        }
        return stage
    }

    @Test func aRowThatFailsStopsExactlyThere() throws {
        let rig = try Rig(transforms: [failing("3")])
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]) + Rig.transaction(200, ["2|b", "3|c", "4|d"]) + Rig.transaction(300, ["5|e"]))
        let stop = rig.run()
        #expect(stop.word == "rowRefused 20-check public.items 200/3 \(CDCP_CODE_VALUE)")
        if case .rowRefused(let row) = stop {
            // The first 16 digits of the SHA-256 of "3".
            #expect(row.keyHash == "4e07408562bedb8b")
            #expect(row.message == "cannot be converted")
        }
        #expect(rig.sink.values == ["1 1 1,a", "1 1 2,b"])
        #expect(rig.durable == 105)
    }

    @Test func aRowThatFailsMayBeSkipped() throws {
        let rig = try Rig(transforms: [failing("3")], policy: .skip)
        rig.send([Rig.table] + Rig.transaction(100, ["2|b", "3|c", "4|d"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.values == ["1 1 2,b", "1 3 4,d"])
        #expect(rig.durable == 105)
        #expect(rig.services.ears.skipped == ["20-check \(CDCP_CODE_VALUE) 1"])
    }

    @Test func theEarliestOfSeveralFailuresCounts() throws {
        let codec = FakeCodec.make()
        codec.encode = { batch, emitter in
            FakeStage.rows(batch) { index, row, _ in
                _ = FakeCodec.emit(emitter, row: index, key: "k", value: "part of \(row.pointee.seq)")
                if row.pointee.seq == 2 { codec.fail(batch, index) } else { _ = FakeCodec.emit(emitter, row: index, key: "k", value: "rest of \(row.pointee.seq)") }
            }
            return CDCP_OK
        }
        let rig = try Rig(transforms: [failing("3")], codec: codec)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a", "2|b", "3|c"]))
        #expect(rig.run().word == "rowRefused 40-codec public.items 100/3 \(CDCP_CODE_VALUE)")
        // The failed row's own first record is taken back.
        #expect(rig.sink.values == ["part of 1", "rest of 1"])
        #expect(rig.durable == 50)
    }

    @Test(arguments: [RowPolicy.stop, .skip]) func recordsBeyondTheLimit(policy: RowPolicy) throws {
        let codec = FakeCodec.make()
        codec.encode = { batch, emitter in
            FakeStage.rows(batch) { index, row, relation in
                _ = FakeCodec.emit(emitter, row: index, key: "k", value: "small \(row.pointee.seq)")
                _ = FakeCodec.emit(emitter, row: index, key: "k", value: FakeCodec.text(row, relation))
            }
            return CDCP_OK
        }
        let rig = try Rig(codec: codec, policy: policy, recordBytes: 500)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a", "2|" + String(repeating: "x", count: 400), "3|c"]))
        let stop = rig.run()
        let before = ["small 1", "1 1 1,a"]
        if policy == .stop {
            #expect(stop.word == "rowRefused 60-sink public.items 100/3 \(CDCP_CODE_TOO_LARGE)")
            if case .rowRefused(let row) = stop { #expect((row.size ?? 0) > 500) }
            #expect(rig.sink.values == before)
            #expect(rig.durable == 50)
        } else {
            #expect(stop.word == "sourceEnded")
            // Both records of the row, not only the large one.
            #expect(rig.sink.values == before + ["small 3", "1 3 3,c"])
            #expect(rig.durable == 105)
            #expect(rig.services.ears.skipped == ["60-sink \(CDCP_CODE_TOO_LARGE) 1"])
        }
    }

    @Test func whatARefusedMessageSaidDoesNotCount() throws {
        let rig = try Rig()
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]) + ["B 200", "I 1 2|b", "P 1 3|c"])
        #expect(rig.run().word == "data 10-decoder: decode: answered DATA (-7): the bytes do not keep their format")
        #expect(rig.sink.values == ["1 1 1,a", "1 1 2,b"])
        #expect(rig.durable == 105)
        #expect(rig.services.ears.rows == ["public.items 1": 2])
    }

    @Test func aCommitThatItsOwnDecoderRefusesIsNotAcknowledged() throws {
        let rig = try Rig()
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]) + ["B 200", "I 1 2|b", "K 200 205"])
        #expect(rig.run().word.hasPrefix("data 10-decoder"))
        #expect(rig.durable == 105)
    }

    @Test(arguments: [
        ("C 1 2", "commitWithoutBegin"), ("B 100", "beginInsideTransaction"), ("C 101 105", "commitMismatch"), ("C 100 20", "wentBack"),
    ]) func transactionsThatDoNotFit(message: String, violation: String) throws {
        let rig = try Rig()
        rig.send(violation == "commitWithoutBegin" ? [message] : [Rig.table, "B 100", "I 1 1|a", message])
        #expect(rig.run().word == "data 10-decoder: the stream's transactions do not fit: \(violation)")
        #expect(rig.durable == 50)
    }

    @Test func rowsOfUnknownTablesAndOtherWidths() throws {
        let rig = try Rig()
        rig.send([Rig.table, "B 100", "I 7 1"])
        #expect(rig.run().word.hasPrefix("data 10-decoder"))
        let other = try Rig()
        other.send([Rig.table, "B 100", "I 1 1|2|3"])
        #expect(other.run().word.hasPrefix("data 10-decoder"))
    }

    private enum Away: Error { case away }

    @Test func theCatalogMayBeAwayForAWhile() throws {
        nonisolated(unsafe) var away = true
        let rig = try Rig { shape throws(LaneStop) in
            if away { throw .catalog(Away.away) }
            return ResolvedShape(shape)
        }
        rig.send([Rig.table, "B 100", "I 1 1|a"])
        #expect(rig.run().word == "catalog away")
        rig.lane.disconnected()
        rig.queue.clear()
        away = false
        rig.send([Rig.table] + Rig.transaction(100, ["1|a", "2|b"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.values == ["1 1 1,a", "1 2 2,b"])
    }

    @Test func aShapeThatAStageRefuses() throws {
        let stage = FakeStage(CDCP_ROLE_TRANSFORM, "20-bind")
        stage.bind = { relation, _ in relation.pointee.column_count == 3 ? CDCP_E_CONFIG : CDCP_OK }
        let rig = try Rig(transforms: [stage])
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]) + ["R 1 items id*,name,more", "B 200", "I 1 2|b|c"])
        #expect(rig.run().word.hasPrefix("shapeRefused public.items: bind public.items"))
        #expect(rig.sink.values == ["1 1 1,a"])
        #expect(rig.durable == 105)
    }

    // MARK: garbage

    @Test func aRecordWhoseLengthsDoNotFit() throws {
        let codec = FakeCodec.make()
        codec.encode = { batch, emitter in
            FakeStage.rows(batch) { index, _, _ in _ = FakeCodec.emit(emitter, row: index, key: "k", value: "v", claim: 5) }
            return CDCP_OK
        }
        let rig = try Rig(codec: codec)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word == "stage 40-codec: the plugin breaks the contract: the codec's record does not fit what it wrote")
        #expect(rig.durable == 50)
    }

    @Test func aRecordOfARowThatIsNotThere() throws {
        let codec = FakeCodec.make()
        codec.encode = { _, emitter in FakeCodec.emit(emitter, row: 4_000_000_000, key: "k", value: "v") }
        let rig = try Rig(codec: codec)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word.hasPrefix("stage 40-codec: the plugin breaks the contract"))
    }

    @Test func aTopicThatNobodyGave() throws {
        let codec = FakeCodec.make()
        codec.encode = { batch, emitter in
            FakeStage.rows(batch) { index, _, _ in _ = FakeCodec.emit(emitter, row: index, topic: 4711, key: "k", value: "v") }
            return CDCP_OK
        }
        let rig = try Rig(codec: codec)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word.hasPrefix("stage 40-codec: encode: the plugin breaks the contract: a topic"))
    }

    @Test(arguments: [-1, 4, Int32.max]) func aPartitionThatTheTopicDoesNotHave(partition: Int32) throws {
        let partitioner = Rig.partitioner()
        partitioner.assign = { records, count in
            for index in 0..<count { records[index].partition = partition }
            return CDCP_OK
        }
        let rig = try Rig(partitioner: partitioner)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word == "stage 50-partitioner: the plugin breaks the contract: partition \(partition) of topic cdc.public.items, which has 4")
        #expect(rig.sink.records.isEmpty)
    }

    @Test func statusesThatAreNone() throws {
        let stage = FakeStage(CDCP_ROLE_TRANSFORM, "20-odd")
        stage.process = { _ in 77 }
        let rig = try Rig(transforms: [stage])
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word == "stage 20-odd: process: answered 77, which is no status of the contract")
        #expect(rig.durable == 50)
    }

    @Test func aStageMayAskForTheSameCallAgain() throws {
        let stage = FakeStage(CDCP_ROLE_TRANSFORM, "20-retry")
        nonisolated(unsafe) var calls = 0
        stage.process = { _ in
            calls += 1
            return calls < 3 ? CDCP_E_RETRY : CDCP_OK
        }
        let rig = try Rig(transforms: [stage])
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(calls == 3)
    }

    @Test func topicsThatCannotBeHad() throws {
        let rig = try Rig()
        nonisolated(unsafe) var calls = 0
        rig.sink.stage.topic = { _, _ in
            calls += 1
            return calls == 1 ? (CDCP_E_RETRY, 0) : (CDCP_E_CONFIG, 0)
        }
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word.hasPrefix("topic cdc.public.items"))
        #expect(rig.services.ears.delayed == ["cdc.public.items"])
        #expect(rig.durable == 50)
    }
}
