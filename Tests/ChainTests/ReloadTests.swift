@testable import Chain
import Glibc
import Pipeline
import PluginABI
import Testing

/// Another plan takes over between two transactions, or not at all.
@Suite(.timeLimit(.minutes(1))) struct ReloadTests {
    /// A transform that puts a word in front of the second cell.
    private static func tag(_ word: String) -> FakeStage {
        let stage = FakeStage(CDCP_ROLE_TRANSFORM, "20-tag")
        stage.process = { batch in
            FakeStage.rows(batch) { _, row, _ in
                let text = Array((word + shown(row.pointee.new_cells[1])).utf8)
                let place = cdcp_arena_alloc(batch.pointee.arena, UInt64(text.count), 1)!.assumingMemoryBound(to: UInt8.self)
                place.update(from: text, count: text.count)
                row.pointee.new_cells[1] = cdcp_cell(ptr: UnsafePointer(place), len: UInt32(text.count), kind: UInt8(CDCP_CELL_VALUE), format: 0, flags: 0)
            }
            return CDCP_OK
        }
        return stage
    }

    /// The running plan's instances, but for its transforms.
    private func plan(_ rig: Rig, _ transforms: [StageInstance]) -> Plan {
        let old = rig.lane.plan
        return Rig.plan(
            2, rig.services, decoder: old.decoder, transforms: transforms, codec: old.stages[old.codecIndex], partitioner: old.partitionerIndex.map { old.stages[$0] },
            sink: old.sink)
    }

    private func isSwapped(_ outcome: Lane.ReloadOutcome) -> Bool { if case .swapped = outcome { true } else { false } }

    @Test func theNewPlanRunsFromTheNextTransactionOn() throws {
        let rig = try Rig(transforms: [Self.tag("old-")], rows: 1)
        rig.send([Rig.table, "B 100", "I 1 1|a"])
        rig.start()
        #expect(eventually { rig.sink.values.count == 1 })
        let old = rig.lane.plan
        let fresh = Self.tag("new-")
        let new = plan(rig, [try Rig.instance(fresh, rig.services)])
        try new.prepare(rig.lane.liveRelations, takingOver: old)
        nonisolated(unsafe) var outcome = Lane.ReloadOutcome.gone
        let asking = Worker { outcome = rig.lane.reload(new) { true } }
        usleep(50_000)
        // Boundary and next transaction in one slice.
        rig.send(["I 1 2|b", "C 100 105"] + Rig.transaction(200, ["3|c"]))
        asking.join()
        #expect(isSwapped(outcome))
        #expect(eventually { rig.sink.values.count == 3 })
        #expect(rig.sink.values == ["1 1 1,old-a", "1 2 2,old-b", "1 1 3,new-c"])
        old.retire(successor: new, timeout: .seconds(1))
        #expect(rig.transforms[0].destroyed == 1 && rig.transforms[0].unbound == 1)
        // Kept: one instance, bound once, still there.
        #expect(rig.codec.instances == 1 && rig.codec.bound == ["items"] && rig.codec.unbound == 0 && rig.codec.destroyed == 0)
        #expect(fresh.bound == ["items"])
        rig.lane.requestStop()
        #expect(rig.join().word == "boundary")
        #expect(rig.durable == 205)
    }

    @Test func aFullSinkKeepsNoReloadWaiting() throws {
        let rig = try Rig(rows: 1)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        rig.start()
        #expect(eventually { rig.durable == 105 })
        rig.sink.refuse(Array(repeating: CDCP_E_AGAIN, count: 100_000))
        rig.send(Rig.transaction(200, ["2|b", "3|c"]))
        rig.send(Rig.transaction(300, ["4|d"]))
        #expect(eventually { rig.sink.refusalsLeft < 100_000 })
        // The second while the sink is asked again for what the first one left.
        let stages = [Self.tag("new-"), Self.tag("newer-")]
        for stage in stages {
            let old = rig.lane.plan
            let new = plan(rig, [try Rig.instance(stage, rig.services)])
            try new.prepare(rig.lane.liveRelations, takingOver: old)
            var glances = 0
            let outcome = rig.lane.reload(new) {
                glances += 1
                return glances < 5
            }
            #expect(isSwapped(outcome))
            old.retire(successor: new, timeout: .zero)
        }
        rig.send(Rig.transaction(400, ["5|e"]))
        #expect(rig.sink.values.count == 1)
        #expect(eventually { rig.services.ears.backpressure == [true] })
        rig.sink.refuse([])
        #expect(eventually { rig.durable == 405 })
        let rows = rig.sink.values.map { String($0.split(separator: " ")[2]) }
        #expect(rows.map { $0.prefix(1) } == ["1", "2", "3", "4", "5"])
        #expect(rows.prefix(3) == ["1,a", "2,b", "3,c"] && rows.last == "5,newer-e")
        rig.lane.requestStop()
        #expect(rig.join().word == "boundary")
    }

    @Test func aStopHandsOverWhatAReloadLeft() throws {
        let rig = try Rig(rows: 1)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        rig.start()
        #expect(eventually { rig.durable == 105 })
        rig.sink.refuse(Array(repeating: CDCP_E_AGAIN, count: 200))
        rig.send(Rig.transaction(200, ["2|b"]))
        #expect(eventually { rig.sink.refusalsLeft < 200 })
        let new = plan(rig, [])
        try new.prepare(rig.lane.liveRelations, takingOver: rig.lane.plan)
        #expect(isSwapped(rig.lane.reload(new) { true }))
        rig.lane.requestStop()
        #expect(rig.join().word == "boundary")
        #expect(rig.durable == 205)
    }

    @Test func aPlanRefusedAtTheBoundaryLeavesTheOldOne() throws {
        let rig = try Rig(transforms: [Self.tag("old-")])
        let fussy = FakeStage(CDCP_ROLE_TRANSFORM, "20-fussy", flags: UInt64(CDCP_STAGE_RESHAPES))
        // The kept codec gets another input, so it has to be asked at the barrier; the stage refuses the second table there.
        fussy.bind = { relation, out in
            if relation.pointee.rel_oid == 2 { return CDCP_E_CONFIG }
            var column = cdcp_relation_column(relation, 0).pointee
            return fussy.host!.pointee.relation_derive(fussy.host, relation, &column, 1, UInt32(MemoryLayout<cdcp_column>.stride), out)
        }
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        rig.start()
        #expect(eventually { rig.durable == 105 })
        let new = plan(rig, [try Rig.instance(fussy, rig.services)])
        try new.prepare(rig.lane.liveRelations, takingOver: rig.lane.plan)
        // A table that appears after the new plan was prepared.
        rig.send("R 2 later id*,name", "B 200", "I 2 2|b", "C 200 205")
        #expect(eventually { rig.durable == 205 })
        let outcome = rig.lane.reload(new) { true }
        guard case .refused(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.stage == "20-fussy")
        new.discard(running: rig.lane.plan, timeout: .seconds(1))
        #expect(fussy.destroyed == 1)
        // What the kept codec was asked for is given back, on the thread that may call it.
        #expect(rig.codec.unbound == 1 && rig.codec.destroyed == 0)
        #expect(rig.codec.unbindThreads.allSatisfy { pthread_equal($0, pthread_self()) == 0 })
        rig.send(Rig.transaction(300, ["3|c"]))
        #expect(eventually { rig.durable == 305 })
        #expect(rig.sink.values == ["1 1 1,old-a", "1 1 2,old-b", "1 1 3,old-c"])
        rig.lane.requestStop()
        #expect(rig.join().word == "boundary")
    }

    @Test func aPlanIsRefusedBesideTheStream() throws {
        let rig = try Rig()
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word == "sourceEnded")
        let stage = FakeStage(CDCP_ROLE_TRANSFORM, "20-complete")
        stage.complete = { CDCP_E_CONFIG }
        let new = plan(rig, [try Rig.instance(stage, rig.services)])
        #expect(throws: StageFailure.self) { try new.prepare(rig.lane.liveRelations, takingOver: rig.lane.plan) }
        new.discard(running: rig.lane.plan, timeout: .seconds(1))
        #expect(stage.destroyed == 1 && stage.unbound == 1)
        #expect(rig.codec.destroyed == 0 && rig.codec.unbound == 0)
    }

    @Test func oneReloadAtATimeAndOneThatIsGivenUp() throws {
        let rig = try Rig(rows: 1)
        rig.send([Rig.table, "B 100", "I 1 1|a"])
        rig.start()
        #expect(eventually { rig.sink.values.count == 1 })
        let new = plan(rig, [])
        nonisolated(unsafe) var second: Lane.ReloadOutcome?
        let first = rig.lane.reload(new) {
            second = rig.lane.reload(new) { true }
            return false
        }
        guard case .gone = first, case .gone? = second else {
            Issue.record("\(first) \(String(describing: second))")
            return
        }
        rig.lane.requestStop()
        rig.send("C 100 105")
        #expect(rig.join().word == "boundary")
        #expect(rig.lane.plan === rig.plan)
    }

    /// Whoever gives up just when the plan was swapped must hear so: it would discard the plan that runs.
    @Test func aSwapBetweenTwoGlancesIsNotGivenUp() throws {
        let rig = try Rig(rows: 1)
        rig.send([Rig.table, "B 100", "I 1 1|a"])
        rig.start()
        #expect(eventually { rig.sink.values.count == 1 })
        let new = plan(rig, [])
        let outcome = rig.lane.reload(new) {
            rig.send(["C 100 105"] + Rig.transaction(200, ["2|b"]))
            _ = eventually { rig.durable == 205 }
            return false
        }
        #expect(isSwapped(outcome))
        #expect(rig.lane.plan === new)
        rig.lane.requestStop()
        #expect(rig.join().word == "boundary")
    }

    @Test func betweenTwoConnectionsToo() throws {
        let rig = try Rig(transforms: [Self.tag("old-")])
        rig.send([Rig.table, "B 100", "I 1 1|a"])
        #expect(rig.run().word == "sourceEnded")
        rig.lane.disconnected()
        rig.queue.clear()
        let new = plan(rig, [try Rig.instance(Self.tag("new-"), rig.services)])
        try new.prepare(rig.lane.liveRelations, takingOver: rig.lane.plan)
        nonisolated(unsafe) var outcome = Lane.ReloadOutcome.gone
        let asking = Worker { outcome = rig.lane.reload(new) { true } }
        usleep(50_000)
        // A transaction that was cut off keeps its plan.
        rig.lane.serveReload()
        #expect(rig.lane.plan === rig.plan)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a", "2|b"]) + Rig.transaction(200, ["3|c"]))
        rig.start()
        asking.join()
        #expect(isSwapped(outcome))
        rig.lane.sourceEnded()
        #expect(rig.join().word == "sourceEnded")
        #expect(rig.sink.values == ["1 1 1,old-a", "1 2 2,old-b", "1 1 3,new-c"])
        // Nothing is cut off now: no need to wait for the stream.
        let third = plan(rig, [try Rig.instance(Self.tag("3-"), rig.services)])
        let again = Worker { outcome = rig.lane.reload(third) { true } }
        #expect(eventually {
            rig.lane.serveReload()
            return rig.lane.plan === third
        })
        again.join()
        #expect(isSwapped(outcome))
    }

    /// A shape that no table has any more is not taken over, and the kept stage hears so, on the thread that may call it.
    @Test func aKeptStageIsToldOfShapesThatOnlyTheOldPlanKnew() throws {
        let rig = try Rig(transforms: [Self.tag("old-")])
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        rig.start()
        #expect(eventually { rig.durable == 105 })
        rig.send(["R 1 items id*,name,more"] + Rig.transaction(200, ["2|b|x"]))
        #expect(eventually { rig.durable == 205 })
        let old = rig.lane.plan
        let new = plan(rig, [try Rig.instance(Self.tag("new-"), rig.services)])
        try new.prepare(rig.lane.liveRelations, takingOver: old)
        #expect(isSwapped(rig.lane.reload(new) { true }))
        #expect(rig.codec.bound == ["items", "items"] && rig.codec.unbound == 1)
        #expect(rig.codec.unbindThreads.allSatisfy { pthread_equal($0, pthread_self()) == 0 })
        old.retire(successor: new, timeout: .seconds(1))
        #expect(rig.transforms[0].unbound == 2)
        rig.send(Rig.transaction(300, ["3|c|y"]))
        #expect(eventually { rig.durable == 305 })
        #expect(rig.sink.values.last?.hasPrefix("1 1 3,new-c") == true)
        rig.lane.requestStop()
        #expect(rig.join().word == "boundary")
        new.retire(successor: nil, timeout: .seconds(1))
        #expect(rig.codec.unbound == 2)
    }

    /// Behind a kept stage nothing can be bound beside the stream: that all is bound is told at the barrier, when it is.
    @Test(arguments: [CDCP_OK, CDCP_E_CONFIG]) func bindingsCompleteComesWhenAllIsBound(answer: cdcp_status) throws {
        let kept = Self.tag("kept-")
        let rig = try Rig(transforms: [kept])
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        rig.start()
        #expect(eventually { rig.durable == 105 })
        // In front of the kept stage one that gives it another input, behind it one that counts.
        let front = FakeStage(CDCP_ROLE_TRANSFORM, "10-front", flags: UInt64(CDCP_STAGE_RESHAPES))
        front.bind = { relation, out in
            var columns = (0..<2).map { cdcp_relation_column(relation, UInt32($0)).pointee }
            columns[1].type_oid = 25
            return front.host!.pointee.relation_derive(front.host, relation, &columns, 2, UInt32(MemoryLayout<cdcp_column>.stride), out)
        }
        let behind = FakeStage(CDCP_ROLE_TRANSFORM, "30-behind")
        nonisolated(unsafe) var boundWhenComplete: [String] = []
        nonisolated(unsafe) var completed = 0
        behind.complete = {
            boundWhenComplete = behind.bound
            completed += 1
            return answer
        }
        let old = rig.lane.plan
        let new = plan(rig, [try Rig.instance(front, rig.services), old.stages[0], try Rig.instance(behind, rig.services)])
        try new.prepare(rig.lane.liveRelations, takingOver: old)
        let outcome = rig.lane.reload(new) { true }
        #expect(boundWhenComplete == ["items"] && completed == 1)
        #expect(isSwapped(outcome) == (answer == CDCP_OK))
        rig.send(Rig.transaction(200, ["2|b"]))
        #expect(eventually { rig.durable == 205 })
        if answer == CDCP_OK {
            old.retire(successor: new, timeout: .seconds(1))
            // Its binding to the old input is no one's any more.
            #expect(kept.bound == ["items", "items"] && kept.unbound == 1)
        } else {
            #expect(rig.lane.plan === old)
            new.discard(running: old, timeout: .seconds(1))
            #expect(kept.bound == ["items", "items"] && kept.unbound == 1 && behind.destroyed == 1)
        }
        rig.lane.requestStop()
        #expect(rig.join().word == "boundary")
    }

    /// The boundary lies inside a slice that fills its chunk: what is behind it is still to be read, so the chunk must not be used again yet.
    @Test func aBoundaryInsideASliceKeepsTheSlice() throws {
        let rig = try Rig(rows: 1)
        rig.send([Rig.table, "B 100", "I 1 1|a"])
        rig.start()
        #expect(eventually { rig.sink.values.count == 1 })
        let fresh = Self.tag("new-")
        let tag = fresh.process
        nonisolated(unsafe) var isFirst = true
        fresh.process = { batch in
            if isFirst {
                isFirst = false
                // The source goes on, as much as a chunk holds, in a chunk that it takes for free.
                [UInt8](repeating: 120, count: ReceiveQueue.chunkSize - 100).withUnsafeBytes { _ = rig.queue.append(.idle, $0, lsn: 0) }
                rig.queue.publish()
            }
            return tag(batch)
        }
        let new = plan(rig, [try Rig.instance(fresh, rig.services)])
        try new.prepare(rig.lane.liveRelations, takingOver: rig.lane.plan)
        nonisolated(unsafe) var outcome = Lane.ReloadOutcome.gone
        let asking = Worker { outcome = rig.lane.reload(new) { true } }
        usleep(50_000)
        let filler = String(repeating: "f", count: 60_000)
        rig.send(["C 100 105"] + (2...6).flatMap { Rig.transaction(UInt64($0) * 100, ["\($0)|\(filler)"]) })
        asking.join()
        #expect(isSwapped(outcome))
        #expect(eventually { rig.durable == 605 })
        #expect(rig.sink.values == ["1 1 1,a"] + (2...6).map { "1 1 \($0),new-\(filler)" })
        rig.lane.requestStop()
        #expect(rig.join().word == "boundary")
    }

    /// Slices are being read while plans change: no byte of them may be used again before its row is encoded.
    @Test func reloadsUnderLoadLoseAndChangeNothing() throws {
        let sink = FakeSink(.fromThread)
        let rig = try Rig(sink: sink, limit: 1 << 20, rows: 50)
        rig.send(Rig.table)
        rig.start()
        let count = 1500
        let source = Worker {
            for transaction in 0..<count {
                let filler = String(repeating: Character(UnicodeScalar(UInt8(97 + transaction % 26))), count: 300)
                if !rig.send(Rig.transaction(UInt64(1000 + 10 * transaction), ["\(transaction)|\(filler)"])) { _ = rig.queue.waitForRoom() }
            }
            rig.lane.sourceEnded()
        }
        var swaps = 0
        while rig.sink.records.count < count / 2, swaps < 60 {
            let old = rig.lane.plan
            let new = plan(rig, [try Rig.instance(Self.tag(""), rig.services)])
            try new.prepare(rig.lane.liveRelations, takingOver: old)
            guard isSwapped(rig.lane.reload(new, whileWaiting: { false })) else {
                new.discard(running: old, timeout: .seconds(1))
                continue
            }
            old.retire(successor: new, timeout: .seconds(1))
            swaps += 1
        }
        source.join()
        #expect(rig.join().word == "sourceEnded")
        #expect(rig.inFlight.drain(until: monotonicNow() + 10_000_000_000))
        sink.end()
        #expect(swaps > 0)
        #expect(sink.records.compactMap(\.key) == (0..<count).map(String.init))
        #expect(sink.records.allSatisfy { record in
            let transaction = Int(record.key ?? "") ?? 0
            let letter = Character(UnicodeScalar(UInt8(97 + transaction % 26)))
            return record.value?.filter { $0 == letter }.count ?? 0 >= 300
        })
    }
}
