import Checkpoint
import Files
import Glibc
import Testing

@Suite struct InstanceLockTests {
    let directory = TemporaryDirectory()

    @Test func oneHolderWhoSaysWhoItIs() throws {
        #expect(try InstanceLock.read(directory: directory.path, name: "shop") == nil)
        var info = LockInfo(pid: getpid(), version: "0.1.0", adminAddress: "127.0.0.1:9464")
        do {
            let lock = try InstanceLock.acquire(directory: directory.path, name: "shop")
            #expect(try InstanceLock.read(directory: directory.path, name: "shop") == .init(info: nil, isRunning: true))
            try lock.update(info)
            #expect(throws: CheckpointError.held(path: lock.path, pid: getpid())) {
                try InstanceLock.acquire(directory: directory.path, name: "shop")
            }
            info.reloadsBegun = 8
            info.reloadNumber = 7
            info.reloadResult = .refused("30-masking: a \\ text\nof two lines")
            try lock.update(info)
            info.reloadResult = .ok("short")
            try lock.update(info)
            #expect(try InstanceLock.read(directory: directory.path, name: "shop") == .init(info: info, isRunning: true))
            _ = lock.path
        }
        #expect(try InstanceLock.read(directory: directory.path, name: "shop") == .init(info: info, isRunning: false))
        let again = try InstanceLock.acquire(directory: directory.path, name: "shop")
        #expect(try InstanceLock.read(directory: directory.path, name: "shop") == .init(info: nil, isRunning: true))
        _ = again.path
    }

    @Test func streamsDoNotMeet() throws {
        let first = try InstanceLock.acquire(directory: directory.path, name: "a")
        let second = try InstanceLock.acquire(directory: directory.path, name: "b")
        #expect(first.path != second.path)
    }

    @Test func readersNeverSeeHalfATextWhileItIsRewritten() async throws {
        let lock = try InstanceLock.acquire(directory: directory.path, name: "shop")
        try lock.update(LockInfo(pid: 1, version: "1"))
        let writer = Task.detached {
            for number in 1...300 {
                let text = String(repeating: "x", count: number % 90)
                try lock.update(LockInfo(pid: 1, version: "1", reloadNumber: number, reloadResult: .refused(text)))
            }
        }
        for _ in 0..<300 {
            #expect(try InstanceLock.read(directory: directory.path, name: "shop")?.info?.pid == 1)
        }
        try await writer.value
    }
}
