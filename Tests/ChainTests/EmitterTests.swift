@testable import Chain
import Pipeline
import PluginABI
import Testing

/// Records of any size, with headers, in memory that stays.
@Suite(.timeLimit(.minutes(1))) struct EmitterTests {
    /// A record that is written in pieces, each after a call of grow, as a codec does that does not know its length before.
    private static func inPieces(_ emitter: UnsafeMutablePointer<cdcp_emitter>, _ row: UInt32, _ key: String, _ value: String, piece: Int) {
        var rest = Array((key + value).utf8)[...]
        while !rest.isEmpty {
            let part = rest.prefix(piece)
            rest = rest.dropFirst(piece)
            if emitter.pointee.end - emitter.pointee.cur < part.count { #expect(emitter.pointee.grow(emitter, UInt64(part.count)) == CDCP_OK) }
            for byte in part {
                emitter.pointee.cur.pointee = byte
                emitter.pointee.cur += 1
            }
        }
        #expect(emitter.pointee.record(emitter, row, 0, UInt32(key.utf8.count), UInt32(value.utf8.count), 0) == CDCP_OK)
    }

    @Test func recordsAndHeadersAcrossTheEndsOfBlocks() throws {
        let sizes = [10, RecordMemory.chunkSize - 300, 200, 500, RecordMemory.chunkSize, 3 * RecordMemory.chunkSize + 7, 1, 100_000, 100_000, 100_000]
        let headed = FakeStage(CDCP_ROLE_TRANSFORM, "20-headers")
        headed.process = { batch in
            FakeStage.rows(batch) { index, row, _ in
                guard row.pointee.seq % 2 == 0 else { return }
                Array("row".utf8).withUnsafeBufferPointer {
                    var header = cdcp_header(key: $0.baseAddress, value: nil, key_len: 3, value_len: CDCP_HEADER_NULL)
                    _ = headed.host!.pointee.row_add_header(batch, index, &header)
                }
            }
            return CDCP_OK
        }
        let codec = FakeCodec.make()
        codec.encode = { batch, emitter in
            FakeStage.rows(batch) { index, row, _ in
                let size = sizes[Int(row.pointee.seq - 1)]
                #expect(FakeCodec.header(emitter, "own", "\(row.pointee.seq)") == CDCP_OK)
                Self.inPieces(emitter, index, "key\(row.pointee.seq)", String(repeating: "v", count: size), piece: 70_000)
                // And a tombstone with a large header.
                #expect(FakeCodec.header(emitter, "big", String(repeating: "h", count: size)) == CDCP_OK)
                #expect(FakeCodec.emit(emitter, row: index, key: "key\(row.pointee.seq)", value: nil) == CDCP_OK)
            }
            return CDCP_OK
        }
        let rig = try Rig(transforms: [headed], codec: codec, limit: 64 << 20, recordBytes: 32 << 20)
        // Twice, so that blocks are used again.
        rig.send([Rig.table] + Rig.transaction(100, sizes.indices.map { "\($0)|x" }) + Rig.transaction(200, sizes.indices.map { "\($0)|x" }))
        #expect(rig.run().word == "sourceEnded")
        let records = rig.sink.records
        #expect(records.count == 4 * sizes.count)
        for (index, record) in records.enumerated() {
            let row = index / 2 % sizes.count
            #expect(record.key == "key\(row + 1)")
            let fromRow = row % 2 == 1 ? ["row=NULL"] : []
            if index % 2 == 0 {
                #expect(record.value?.utf8.count == sizes[row] && record.value?.utf8.allSatisfy { $0 == UInt8(ascii: "v") } == true)
                #expect(record.headers == fromRow + ["own=\(row + 1)"])
            } else {
                #expect(record.value == nil)
                #expect(record.headers == fromRow + ["big=" + String(repeating: "h", count: sizes[row])])
            }
        }
        #expect(rig.inFlight.snapshot().inFlightBytes == 0)
    }

    @Test func recordsInFlightKeepTheirBytesWhileOthersAreWritten() throws {
        let sink = FakeSink(.byHand)
        let rig = try Rig(sink: sink, limit: 64 << 20, rows: 3)
        nonisolated(unsafe) var submissions: [UnsafePointer<cdcp_submission>] = []
        let submit = sink.stage.submit
        sink.stage.submit = { submission in
            submissions.append(submission)
            return submit(submission)
        }
        rig.send([Rig.table] + Rig.transaction(100, (0..<300).map { "\($0)|" + String(repeating: "x", count: 2000) }))
        #expect(rig.run().word == "sourceEnded")
        #expect(submissions.count == 100)
        for (number, submission) in submissions.enumerated() {
            for index in 0..<submission.pointee.record_count {
                let record = cdcp_submission_record(submission, index).pointee
                #expect(String(decoding: UnsafeBufferPointer(start: record.key, count: Int(record.key_len)), as: UTF8.self) == "\(number * 3 + Int(index))")
            }
        }
        sink.completeAll()
        #expect(rig.durable == 105)
    }

    @Test func growRefusesWhatNobodyCanHave() throws {
        let codec = FakeCodec.make()
        nonisolated(unsafe) var answers: [cdcp_status] = []
        codec.encode = { _, emitter in
            answers = [emitter.pointee.grow(emitter, UInt64.max), emitter.pointee.grow(emitter, (1 << 31) + 1), emitter.pointee.grow(emitter, 0)]
            return CDCP_OK
        }
        let rig = try Rig(codec: codec)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word == "sourceEnded")
        #expect(answers == [CDCP_E_UNSUPPORTED, CDCP_E_UNSUPPORTED, CDCP_OK])
    }

    @Test func aCodecThatWritesPastTheEndIsStopped() throws {
        let codec = FakeCodec.make()
        codec.encode = { _, emitter in
            emitter.pointee.cur = emitter.pointee.end + 1
            return emitter.pointee.grow(emitter, 10)
        }
        let rig = try Rig(codec: codec)
        rig.send([Rig.table] + Rig.transaction(100, ["1|a"]))
        #expect(rig.run().word == "stage 40-codec: the plugin breaks the contract: the codec wrote past the end of the emitter's room")
    }
}
