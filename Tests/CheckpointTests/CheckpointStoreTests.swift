import Checkpoint
import Files
import Glibc
import Testing

@Suite struct CheckpointStoreTests {
    let directory = TemporaryDirectory()

    func record(_ position: UInt64, phase: CheckpointRecord.Phase = .streaming, stream: String = "shop") -> CheckpointRecord {
        CheckpointRecord(
            streamName: stream, systemIdentifier: 18_446_744_073_709_551_615, timeline: 3, slotName: "cdc_shop",
            publicationName: "odd \\ name\nof two lines", slotCreatedByUs: true, publicationCreatedByUs: false, phase: phase,
            position: position, slotStart: 100, lastCommitEnd: 90, writtenAtMicroseconds: 1_787_392_800_123_456)
    }

    func store(_ name: String = "shop") throws -> CheckpointStore { try CheckpointStore(directory: directory.path, streamName: name) }

    func write(_ path: String, _ bytes: [UInt8]) throws {
        // Not through a sync: some tests write thousands of times.
        try OpenFile(path, .update(mode: 0o600)).rewrite(bytes)
    }

    @Test(arguments: [
        CheckpointRecord.Phase.streaming, .snapshotDone, .snapshotting(consistentPoint: 0xABCD_0000_1234, attempt: 2),
    ])
    func whatIsSavedIsLoaded(phase: CheckpointRecord.Phase) throws {
        let record = record(0x1_0000_00FF, phase: phase)
        try store().save(record)
        #expect(try store().load() == .init(record: record, recovery: nil))
    }

    @Test func anIntentHasNoPosition() throws {
        var intent = record(0, phase: .slotIntended)
        intent.slotStart = 0
        intent.lastCommitEnd = 0
        try store().save(intent)
        #expect(try store().load().record == intent)
    }

    @Test func nothingThereIsNoRecord() throws {
        #expect(try store().load() == .init(record: nil, recovery: nil))
    }

    @Test func thePreviousRecordIsKept() throws {
        let store = try store()
        for position in [UInt64(200), 300, 400] { try store.save(record(position)) }
        #expect(try FileSystem.list(directory.path) == ["shop.checkpoint", "shop.checkpoint.previous"])
        try FileSystem.remove(store.path)
        let found = try self.store().load()
        #expect(found.record == record(300))
        #expect(found.recovery?.contains("it is missing") == true)
    }

    /// Every single flipped bit and every cut is noticed, and the copy before it is used.
    @Test func everyDamageIsNoticed() throws {
        let store = try store()
        try store.save(record(200))
        try store.save(record(300))
        let whole = try FileSystem.read(store.path)
        var damaged = (0..<whole.count).map { Array(whole[..<$0]) }
        for index in whole.indices {
            for bit in 0..<8 {
                var bytes = whole
                bytes[index] ^= 1 << UInt8(bit)
                damaged.append(bytes)
            }
        }
        damaged.append(whole + [10])
        damaged.append([UInt8](repeating: 0, count: whole.count))
        for bytes in damaged {
            try write(store.path, bytes)
            let found = try self.store().load()
            #expect(found.record == record(200) && found.recovery != nil)
        }
    }

    @Test func aGoodCopyIsNeverReplacedByADamagedOne() throws {
        try store().save(record(200))
        try store().save(record(300))
        let store = try store()
        try write(store.path, [])
        #expect(try store.load().record == record(200))
        try store.save(record(250))
        try write(store.path, [])
        #expect(try self.store().load().record == record(200))
    }

    @Test func twoDamagedCopiesAreAnError() throws {
        let store = try store()
        try store.save(record(200))
        try write(store.path, Array("x".utf8))
        let alone = #expect(throws: CheckpointError.self) { try store.load() }
        #expect(alone?.description.contains("it is missing") == true)
        try write(store.previousPath, [])
        let both = #expect(throws: CheckpointError.self) { try store.load() }
        #expect(both?.description.contains("it is empty") == true)
        // Nothing is written over what nobody understands.
        #expect(throws: CheckpointError.self) { try self.store().save(record(300)) }
        #expect(try FileSystem.read(store.path) == Array("x".utf8))
    }

    @Test func anotherStreamsFileIsRefused() throws {
        try store().save(record(200))
        try FileSystem.rename(store().path, to: directory("other.checkpoint"))
        let other = try store("other")
        let expected = CheckpointError.otherStream(path: other.path, found: "shop", expected: "other")
        #expect(throws: expected) { try other.load() }
        #expect(throws: expected) { try other.save(record(200, stream: "other")) }
    }

    @Test func positionZeroIsNeverWritten() throws {
        let store = try store()
        for bad in [record(0), record(99), record(200, phase: .snapshotting(consistentPoint: 0, attempt: 1))] {
            #expect(throws: CheckpointError.self) { try store.save(bad) }
        }
        #expect(throws: CheckpointError.self) { try store.save(record(200, stream: "other")) }
        #expect(try FileSystem.list(directory.path).isEmpty)
    }

    @Test func aLaterVersionIsNotDamage() throws {
        let store = try store()
        try store.save(record(200))
        var text = String(decoding: try FileSystem.read(store.path), as: UTF8.self)
        text = text.replacing("version 1\n", with: "version 2\n")
        let body = Array(text.utf8.dropLast(72))
        try write(store.path, body + Array("sha256 \(SHA256.hex(body))\n".utf8))
        #expect(throws: CheckpointError.newer(path: store.path, version: 2)) { try store.load() }
    }

    @Test(arguments: ["", ".x", "a/b", "a\nb", "../x"])
    func namesStayInTheDirectory(name: String) throws {
        #expect(throws: CheckpointError.name(name)) { try CheckpointStore(directory: directory.path, streamName: name) }
    }

    #if DEBUG
        /// Every step fails once, for each error: the store is unusable afterwards, and a new one finds the old record or the new one.
        @Test(arguments: [EIO, ENOSPC, EROFS])
        func aFailedWriteIsFinalAndLosesNothing(code: Int32) throws {
            for operation in [FileOperation.open, .write, .sync, .rename, .remove, .link, .changeMode, .syncDirectory] {
                for nth in 1...4 {
                    let directory = TemporaryDirectory()
                    let store = try CheckpointStore(directory: directory.path, streamName: "shop")
                    try store.save(record(200))
                    try store.save(record(300))
                    FileFault.arm(under: directory.path, operation, nth: nth, code: code)
                    let result = Result { try store.save(record(400)) }
                    FileFault.disarm(under: directory.path)
                    let found = try CheckpointStore(directory: directory.path, streamName: "shop").load()
                    #expect(found.recovery == nil, "\(operation) \(nth)")
                    switch result {
                    case .success: #expect(found.record == record(400), "\(operation) \(nth)")
                    case .failure:
                        #expect([record(300), record(400)].contains(found.record), "\(operation) \(nth)")
                        #expect(throws: CheckpointError.poisoned(path: store.path)) { try store.save(record(500)) }
                    }
                }
            }
        }

        @Test func fileSystemsWithoutHardLinksKeepACopy() throws {
            let store = try store()
            try store.save(record(200))
            FileFault.arm(under: directory.path, .link, nth: 1, code: EPERM)
            try store.save(record(300))
            FileFault.disarm(under: directory.path)
            try FileSystem.remove(store.path)
            #expect(try self.store().load().record == record(200))
        }
    #endif
}
