@testable import Chain
import Pipeline
import PluginABI
import Testing

/// The way of a change through all stages, and what is acknowledged of it.
@Suite(.timeLimit(.minutes(1))) struct LaneTests {
    @Test func rowsArriveInTheOrderOfTheStreamAndTheirTransactionsCount() throws {
        let rig = try Rig()
        rig.send([Rig.table] + Rig.transaction(100, ["1|a", "2|N"]) + Rig.transaction(200, ["3|c"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.values == ["1 1 1,a", "1 2 2,NULL", "1 1 3,c"])
        #expect(rig.sink.records.map(\.key) == ["1", "2", "3"])
        #expect(rig.sink.records.allSatisfy { $0.partition == 0 && rig.services.topics.name($0.topic) == "cdc.public.items" })
        #expect(rig.durable == 205)
        let state = rig.inFlight.snapshot()
        #expect(state.transactions == 2 && state.outstanding == 0 && state.inFlightBytes == 0)
        #expect(rig.services.ears.acknowledged == 3)
        #expect(rig.services.ears.transactions == 2)
        #expect(rig.services.ears.rows == ["public.items 1": 3])
    }

    @Test func anOpenTransactionIsHandedOnButNotAcknowledged() throws {
        let rig = try Rig()
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]) + ["B 200", "I 1 2|b"])
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.values == ["1 1 1,a", "1 1 2,b"])
        #expect(rig.durable == 105)
        // The connection was cut: what was handed on is not handed on again.
        rig.lane.disconnected()
        rig.queue.clear()
        rig.send([Rig.table] + Rig.transaction(200, ["2|b", "3|c"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.values == ["1 1 1,a", "1 1 2,b", "1 2 3,c"])
        #expect(rig.durable == 205)
    }

    @Test func completionsOutOfOrderAcknowledgeInOrder() throws {
        let rig = try Rig(sink: FakeSink(.byHand), rows: 1)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]) + Rig.transaction(200, ["2|b"]) + Rig.transaction(300, ["3|c"]))
        #expect(rig.run().word == "sourceEnded")
        let ids = rig.sink.open
        #expect(ids == [1, 2, 3])
        rig.sink.complete(ids[2])
        rig.sink.complete(ids[1])
        #expect(rig.durable == 50)
        rig.sink.complete(ids[0])
        // Its commit came with the batch after it, or by itself.
        #expect(rig.durable == 305)
        #expect(rig.inFlight.drain(until: monotonicNow() + 1_000_000_000))
    }

    @Test func manyTransactionsThroughASinkWithThreads() throws {
        let sink = FakeSink(.fromThread)
        let rig = try Rig(sink: sink, limit: 300_000, rows: 37)
        rig.start()
        rig.send(Rig.table)
        for transaction in 0..<400 {
            let commit = UInt64(1000 + transaction * 10)
            if !rig.send(Rig.transaction(commit, (0..<(transaction % 90)).map { "\(transaction)-\($0)|x" })) { #expect(rig.queue.waitForRoom()) }
        }
        rig.lane.sourceEnded()
        #expect(rig.join().word == "sourceEnded")
        #expect(rig.inFlight.drain(until: monotonicNow() + 10_000_000_000))
        sink.end()
        #expect(sink.records.compactMap(\.key) == (0..<400).flatMap { transaction in (0..<(transaction % 90)).map { "\(transaction)-\($0)" } })
        #expect(rig.durable == 1000 + 3990 + 5)
        #expect(rig.inFlight.snapshot().transactions == 400)
        #expect(rig.inFlight.snapshot().inFlightBytes == 0)
    }

    @Test func idlePositionsCountBetweenTransactionsOnly() throws {
        let rig = try Rig()
        rig.keepalive(70)
        rig.send(Rig.table, "B 100")
        rig.keepalive(900)
        rig.send("I 1 1|a")
        rig.keepalive(901)
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.durable == 70)
        rig.queue.clear()
        rig.send("C 100 105")
        rig.keepalive(300)
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.durable == 300)
    }

    @Test func transactionsWithoutRowsAreAcknowledgedToo() throws {
        let drop = FakeStage(CDCP_ROLE_TRANSFORM, "20-drop")
        drop.process = { batch in
            FakeStage.rows(batch) { _, row, _ in row.pointee.disposition = UInt8(CDCP_ROW_DROP) }
            return CDCP_OK
        }
        let rig = try Rig(transforms: [drop])
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]) + Rig.transaction(200, []))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.records.isEmpty)
        #expect(rig.durable == 205)
        #expect(rig.inFlight.snapshot().transactions == 2)
    }

    @Test func messagesOutsideTransactionsEndWhereTheirRecordEnds() throws {
        let rig = try Rig()
        rig.send("M 120 prefix hello", "M 120 prefix again", "B 130", "m 125 p inside", "C 130 140")
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.values == ["5 1 prefix,hello", "5 1 p,inside"])
        #expect(rig.durable == 140)
        #expect(rig.services.ears.rows == [" 5": 2])
        let other = try Rig()
        other.send("M 120 prefix hello")
        #expect(other.run().word == "sourceEnded")
        #expect(other.durable == 120)
    }

    @Test func aTransformRewritesDropsAndLeavesWhatItsMatchDoesNotName() throws {
        let edit = FakeStage(CDCP_ROLE_TRANSFORM, "20-edit")
        edit.process = { batch in
            FakeStage.rows(batch) { _, row, _ in
                if shown(row.pointee.new_cells[0]) == "2" { row.pointee.disposition = UInt8(CDCP_ROW_DROP) }
                let text = cdcp_arena_alloc(batch.pointee.arena, 2, 1)!.assumingMemoryBound(to: UInt8.self)
                (text[0], text[1]) = (120, 121)
                row.pointee.new_cells[1].ptr = UnsafePointer(text)
                row.pointee.new_cells[1].len = 2
            }
            return CDCP_OK
        }
        let rig = try Rig(transforms: [edit])
        rig.send([Rig.table] + Rig.transaction(100, ["1|a", "2|b", "3|c"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.values == ["1 1 1,xy", "1 3 3,xy"])
    }

    @Test func aStageThatReshapesGivesTheNextOneItsOwnColumns() throws {
        let cut = FakeStage(CDCP_ROLE_TRANSFORM, "20-cut", flags: UInt64(CDCP_STAGE_RESHAPES))
        cut.bind = { relation, out in
            var columns = (0..<relation.pointee.column_count).map { cdcp_relation_column(relation, $0).pointee }
            columns.removeFirst()
            return cut.host!.pointee.relation_derive(cut.host, relation, columns, UInt32(columns.count), UInt32(MemoryLayout<cdcp_column>.stride), out)
        }
        cut.process = { batch in
            FakeStage.rows(batch) { _, row, _ in row.pointee.new_cells += 1 }
            return CDCP_OK
        }
        let rig = try Rig(transforms: [cut])
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.values == ["1 1 a"])
    }

    @Test func columnsThatTheHostCutsAreSeenByNoStage() throws {
        let rig = try Rig { shape throws(LaneStop) in ResolvedShape(shape, keptColumns: shape.columns.count == 4 ? [1, 3] : nil) }
        rig.send([Rig.table, "R 2 wide a*,b,c,d", "B 100", "I 1 1|x", "I 2 a|b|c|d", "D 2 e|f|g|h", "C 100 105"])
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.values == ["1 1 1,x", "1 2 b,d", "3 3 f,h"])
    }

    @Test func foreignTablesAreCountedAndLeftOut() throws {
        let rig = try Rig { shape throws(LaneStop) in ResolvedShape(shape, isForeign: shape.table == "theirs") }
        rig.send([Rig.table, "R 2 theirs a*", "B 100", "I 2 1", "I 1 1|x", "I 2 2", "C 100 105"])
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.values == ["1 2 1,x"])
        #expect(rig.durable == 105)
        #expect(rig.lane.liveRelations.count == 1)
        #expect(rig.codec.bound == ["items"])
        rig.lane.disconnected()
        rig.queue.clear()
        rig.send(["B 200", "I 2 1", "C 200 205"])
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.durable == 205)
    }

    @Test func aShapeAnnouncedAgainIsAskedForOnceAndBoundOnlyWhenItChanged() throws {
        nonisolated(unsafe) var asked = 0
        let rig = try Rig { shape throws(LaneStop) in
            asked += 1
            return ResolvedShape(shape)
        }
        rig.send([Rig.table, "R 9 never x*"] + Rig.transaction(100, ["1|a"]) + [Rig.table] + Rig.transaction(200, ["2|b"]))
        rig.send(["R 1 items id*,name,more"] + Rig.transaction(300, ["3|c|d"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(asked == 3)
        #expect(rig.codec.bound == ["items", "items"])
        #expect(rig.sink.values == ["1 1 1,a", "1 1 2,b", "1 1 3,c,d"])
    }

    @Test func stagesThatAskForMarkersSeeThemAndTheEndOfTheCommit() throws {
        let watch = FakeStage(CDCP_ROLE_TRANSFORM, "20-watch", flags: UInt64(CDCP_STAGE_WANTS_MARKERS))
        nonisolated(unsafe) var seen: [String] = []
        watch.process = { batch in
            FakeStage.rows(batch) { _, row, relation in
                let transaction = cdcp_batch_txn(batch, row.pointee.txn_index).pointee
                let end = row.pointee.op == CDCP_OP_COMMIT ? " \(transaction.end_lsn)" : ""
                seen.append("\(row.pointee.op)\(end)\(row.pointee.op == CDCP_OP_SCHEMA ? " \(relation!.pointee.previous.pointee.column_count)" : "")")
            }
            return CDCP_OK
        }
        let rig = try Rig(transforms: [watch])
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]) + ["R 1 items id*"] + Rig.transaction(200, ["2"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(seen == ["16", "1", "17 105", "16", "18 2", "1", "17 205"])
        #expect(rig.sink.values == ["1 1 1,a", "1 1 2"])
    }

    /// One message of the protocol, and more rows, each of another table, than a batch was made for.
    @Test func aTruncateOfManyTablesLosesNone() throws {
        let rig = try Rig(rows: 100)
        let count = 1000
        rig.send((1...count).map { "R \($0) t\($0) a*" } + ["B 100", "T " + (1...count).map(String.init).joined(separator: ","), "C 100 105"])
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.records.count == count)
        #expect(rig.durable == 105)
    }
}
