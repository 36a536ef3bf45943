import Glibc

/// The one seam between this module and the system: every call goes through here, so that tests can make any of them fail.
enum Syscall {
    /// Runs `call` until it is not interrupted; a negative result becomes an error.
    @discardableResult
    static func run(_ operation: FileOperation, _ path: String, _ call: () -> Int) throws(FileError) -> Int {
        while true {
            #if DEBUG
                if let code = FileFault.strike(operation, path) {
                    if code == EINTR { continue }
                    throw FileError(operation: operation, path: path, code: code)
                }
            #endif
            let result = call()
            if result >= 0 { return result }
            let code = errno
            if code == EINTR { continue }
            throw FileError(operation: operation, path: path, code: code)
        }
    }

    /// How many bytes a single write may carry: everything, or what a test allows.
    static func writable(_ path: String, _ count: Int) -> Int {
        #if DEBUG
            return min(count, FileFault.writeLimit(path) ?? count)
        #else
            return count
        #endif
    }
}
