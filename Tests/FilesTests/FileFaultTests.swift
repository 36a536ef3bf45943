#if DEBUG
    import Files
    import Glibc
    import Testing

    @Suite struct FileFaultTests {
        let directory = TemporaryDirectory()

        /// Each step of a replacement fails in turn: the old content is there, whole, or the new one.
        @Test(arguments: [
            (FileOperation.open, 1), (.changeMode, 1), (.write, 1), (.sync, 1), (.rename, 1), (.open, 2), (.syncDirectory, 1),
        ])
        func aFailedReplacementLeavesTheOldContent(operation: FileOperation, nth: Int) throws {
            let path = directory("state")
            try FileSystem.atomicReplace(path, with: Array("old".utf8))
            FileFault.arm(under: directory.path, operation, nth: nth, code: EIO)
            defer { FileFault.disarm(under: directory.path) }
            #expect(throws: FileError.self) { try FileSystem.atomicReplace(path, with: Array("new".utf8)) }
            let renamed = operation == .syncDirectory || nth == 2
            #expect(try FileSystem.read(path) == Array((renamed ? "new" : "old").utf8))
            #expect(try FileSystem.list(directory.path) == ["state"])
        }

        @Test func shortAndInterruptedWritesGoOn() throws {
            FileFault.limitWrites(under: directory.path, bytesMax: 3)
            FileFault.arm(under: directory.path, .write, nth: 2, code: EINTR, times: 2)
            defer { FileFault.disarm(under: directory.path) }
            try FileSystem.atomicReplace(directory("a"), with: Array("0123456789".utf8))
            #expect(try FileSystem.read(directory("a")) == Array("0123456789".utf8))
        }

        @Test func theTextNamesOperationPathNumberAndCure() {
            let text = FileError(operation: .write, path: "/x/y", code: ENOSPC).description
            #expect(text == "cannot write /x/y: No space left on device (errno 28); make room on that file system")
        }
    }
#endif
