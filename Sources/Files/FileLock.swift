import Glibc

extension OpenFile {
    // fcntl(2): locks of the open file description, so that a fork or another descriptor of this process cannot drop them by accident.
    private static let getLock: Int32 = 36
    private static let setLock: Int32 = 37

    /// Takes the exclusive lock. False: somebody else holds it. The lock goes with the open file, at the latest with the process.
    public func tryLock() throws(FileError) -> Bool {
        do throws(FileError) {
            try Syscall.run(.lock, path) {
                var request = Self.exclusive
                return Int(fcntl(descriptor, Self.setLock, &request))
            }
            return true
        } catch {
            if error.code == EAGAIN || error.code == EACCES { return false }
            throw error
        }
    }

    /// Lets go of the lock now. Closing alone would leave it to a child process that has been forked and has not yet become another program.
    public func unlock() {
        var request = Self.exclusive
        request.l_type = Int16(F_UNLCK)
        _ = fcntl(descriptor, Self.setLock, &request)
    }

    /// Does another open file hold the lock? Asks without taking it.
    public func isLockedElsewhere() throws(FileError) -> Bool {
        var request = Self.exclusive
        try Syscall.run(.lock, path) { Int(fcntl(descriptor, Self.getLock, &request)) }
        return request.l_type != Int16(F_UNLCK)
    }

    private static var exclusive: flock {
        flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
    }
}
