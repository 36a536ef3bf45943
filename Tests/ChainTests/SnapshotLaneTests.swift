@testable import Chain
import Pipeline
import PluginABI
import Testing

/// Rows of the snapshot, through the same chain.
@Suite(.timeLimit(.minutes(1))) struct SnapshotLaneTests {
    private func copy(_ rig: Rig, _ line: String, table: UInt64 = 1, flags: Int32 = 0) {
        Array(line.utf8).withUnsafeBytes { _ = rig.queue.append(.copyRow, $0, lsn: 0, aux: table, flags: UInt16(flags)) }
    }

    private func rig(_ codec: FakeStage = FakeCodec.make(), rows: Int = 1000) throws -> Rig {
        let rig = try Rig(codec: codec, rows: rows)
        for (oid, name) in [(1, "items"), (2, "more")] as [(UInt32, String)] {
            let columns = [ColumnShape(name: "id", typeOID: 25, keyOrdinal: 1), ColumnShape(name: "name", typeOID: 25)]
            try rig.lane.announce(ResolvedShape(RelationShape(oid: oid, schema: "public", table: name, replicaIdentity: 100, columns: columns)))
        }
        return rig
    }

    private func end(_ rig: Rig) {
        _ = rig.queue.append(.snapshotEnd, UnsafeRawBufferPointer(start: nil, count: 0), lsn: 0)
        rig.queue.publish()
    }

    @Test func rowsAreNumberedInTheirTableAndAcknowledgeNothing() throws {
        let codec = FakeCodec.make()
        nonisolated(unsafe) var seen: [String] = []
        codec.encode = { batch, emitter in
            FakeStage.rows(batch) { index, row, relation in
                let transaction = cdcp_batch_txn(batch, row.pointee.txn_index).pointee
                seen.append("\(transaction.flags) \(transaction.commit_lsn) \(transaction.commit_ts_us) \(row.pointee.flags)")
                _ = FakeCodec.emit(emitter, row: index, key: nil, value: FakeCodec.text(row, relation))
            }
            return CDCP_OK
        }
        let rig = try rig(codec, rows: 2)
        copy(rig, "1\ta\\tb", flags: CDCP_ROWF_SNAPSHOT_FIRST)
        copy(rig, "2\t\\N")
        copy(rig, "3\t", table: 2)
        end(rig)
        #expect(rig.run(.snapshot(point: 77, time: 5)).word == "snapshotEnded")
        #expect(rig.sink.values == ["6 1 1,a\tb", "6 2 2,NULL", "6 1 3,"])
        #expect(seen == ["1 77 5 4", "1 77 5 0", "1 77 5 0"])
        #expect(rig.durable == 50)
        #expect(rig.services.ears.rows == ["public.items 6": 2, "public.more 6": 1])
    }

    @Test func theStreamGoesOnFromItsPoint() throws {
        let rig = try rig()
        copy(rig, "1\ta")
        end(rig)
        #expect(rig.run(.snapshot(point: 77, time: 5)).word == "snapshotEnded")
        let mark = StreamMark(position: 77)
        rig.lane.rewind(to: mark)
        rig.inFlight.restart(at: mark)
        #expect(rig.durable == 77)
        rig.send(Rig.transaction(100, ["2|b"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(rig.sink.values == ["6 1 1,a", "1 1 2,b"])
        #expect(rig.durable == 105)
    }

    @Test func linesThatDoNotFitTheirTable() throws {
        let short = try rig()
        copy(short, "1")
        end(short)
        #expect(short.run(.snapshot(point: 77, time: 5)).word == "data snapshot: row 1 of oid 1 has another number of columns than its table")
        let unknown = try rig()
        copy(unknown, "1\ta", table: 9)
        end(unknown)
        #expect(unknown.run(.snapshot(point: 77, time: 5)).word.hasPrefix("data snapshot: a row of a table that was not announced"))
    }

    @Test func aStopDoesNotCutIt() throws {
        let rig = try rig()
        rig.lane.requestStop()
        copy(rig, "1\ta")
        end(rig)
        #expect(rig.run(.snapshot(point: 77, time: 5)).word == "snapshotEnded")
        #expect(rig.sink.values.count == 1)
    }
}
