import Files
import Glibc
import Testing

@Suite struct FileSystemTests {
    let directory = TemporaryDirectory()

    func put(_ name: String, _ text: String, mode: UInt32 = 0o600) throws -> String {
        try FileSystem.writeNew(directory(name), Array(text.utf8), mode: mode)
        return directory(name)
    }

    @Test func readGivesEverythingAndKeepsItsLimit() throws {
        let path = try put("a", String(repeating: "x", count: 100_000))
        #expect(try FileSystem.read(path).count == 100_000)
        #expect(throws: FileError(operation: .read, path: path, code: EFBIG)) { try FileSystem.read(path, limit: 99_999) }
        #expect(throws: FileError(operation: .read, path: directory.path, code: EISDIR)) { try FileSystem.read(directory.path) }
        // A size of 0 says nothing about files of the kernel.
        #expect(try !FileSystem.read("/proc/self/status").isEmpty)
        #expect(throws: FileError(operation: .open, path: directory("none"), code: ENOENT)) { try FileSystem.read(directory("none")) }
    }

    @Test func linksAreFollowedOnlyWhenAsked() throws {
        let path = try put("target", "t")
        #expect(symlink(path, directory("link")) == 0)
        #expect(try FileSystem.status(of: directory("link")).kind == .regular)
        #expect(try FileSystem.status(of: directory("link"), followingLinks: false).kind == .symbolicLink)
        #expect(try FileSystem.resolve(directory("link")) == FileSystem.resolve(path))
        #expect(throws: FileError(operation: .open, path: directory("link"), code: ELOOP)) {
            _ = try OpenFile(directory("link"), .readWithoutFollowing)
        }
    }

    @Test func aPipeInThePlaceOfAFileDoesNotHang() throws {
        #expect(mkfifo(directory("pipe"), 0o600) == 0)
        #expect(try OpenFile(directory("pipe"), .readWithoutFollowing).status().kind == .other)
    }

    @Test func listIsSortedAndComplete() throws {
        for name in ["b", "a", ".hidden", "ä"] { _ = try put(name, "") }
        #expect(try FileSystem.list(directory.path) == [".hidden", "a", "b", "ä"])
        #expect(throws: FileError.self) { try FileSystem.list(directory("none")) }
    }

    @Test func privateDirectoriesAreMadeWithTheirParents() throws {
        try FileSystem.makePrivateDirectory(directory("x/y/z"))
        #expect(try FileSystem.status(of: directory("x/y/z")).mode == 0o700)
        try FileSystem.makePrivateDirectory(directory("x/y/z"))
        let file = try put("file", "")
        #expect(throws: FileError(operation: .makeDirectory, path: file, code: ENOTDIR)) { try FileSystem.makePrivateDirectory(file) }
    }

    @Test func atomicReplaceReplacesAndLeavesNoTrace() throws {
        let path = try put("state", "old")
        try FileSystem.atomicReplace(path, with: Array("new".utf8))
        #expect(try FileSystem.read(path) == Array("new".utf8))
        #expect(try FileSystem.list(directory.path) == ["state"])
    }

    @Test(.timeLimit(.minutes(1))) func aDirectoryThatCannotBeMadeIsAnError() {
        #expect(throws: FileError.self) { try FileSystem.makePrivateDirectory("/proc/nowhere/state") }
        #expect(throws: FileError.self) { try FileSystem.makePrivateDirectory("") }
    }

    @Test func modesIgnoreTheUmask() throws {
        let path = try put("code", "x", mode: 0o500)
        #expect(try FileSystem.status(of: path).mode == 0o500)
    }

    @Test func programsMayRunFromUsr() throws {
        #expect(try !FileSystem.forbidsExecution("/usr"))
    }

    @Test func pathsAsText() {
        #expect(FilePath.directory(of: "/a/b") == "/a")
        #expect(FilePath.directory(of: "/a") == "/")
        #expect(FilePath.directory(of: "a") == ".")
        #expect(FilePath.directory(of: "a//b/") == "a")
        #expect(FilePath.name(of: "/a/b.so") == "b.so")
        #expect(FilePath.join("/a", "b") == "/a/b")
        #expect(FilePath.join("/a", "/b") == "/b")
    }

    @Test func aMovedLogIsOpenedAnew() throws {
        let log = try AppendFile(directory("log"))
        try log.write(Array("one\n".utf8))
        try FileSystem.rename(directory("log"), to: directory("log.1"))
        try log.write(Array("two\n".utf8))
        try log.reopen()
        try log.write(Array("three\n".utf8))
        #expect(try FileSystem.read(directory("log.1")) == Array("one\ntwo\n".utf8))
        #expect(try FileSystem.read(directory("log")) == Array("three\n".utf8))
    }

    @Test func theLockHasOneHolder() throws {
        let first = try OpenFile(directory("lock"), .update(mode: 0o600))
        let second = try OpenFile(directory("lock"), .update(mode: 0o600))
        #expect(try !second.isLockedElsewhere())
        #expect(try first.tryLock())
        #expect(try !second.tryLock())
        #expect(try second.isLockedElsewhere())
        #expect(try !first.isLockedElsewhere())
    }
}
