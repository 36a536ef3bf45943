#if DEBUG
    import Synchronization

    /// Forced failures for tests. Exists in debug builds only.
    ///
    /// Faults are bound to a directory, so that tests that run side by side do not meet each other's.
    public enum FileFault {
        private struct Armed {
            let directory: String
            let operation: FileOperation
            let code: Int32
            var callsBefore: Int
            var strikes: Int
        }

        private struct State {
            var armed: [Armed] = []
            var writeLimits: [(directory: String, bytesMax: Int)] = []
        }

        private static let state = Mutex(State())

        /// The `nth` call (from 1) of `operation` on a path below `directory` fails with `code`, and so do the `times - 1` calls after it.
        public static func arm(under directory: String, _ operation: FileOperation, nth: Int, code: Int32, times: Int = 1) {
            state.withLock {
                $0.armed.append(Armed(directory: directory, operation: operation, code: code, callsBefore: nth - 1, strikes: times))
            }
        }

        /// A write below `directory` takes at most `bytesMax` bytes at a time.
        public static func limitWrites(under directory: String, bytesMax: Int) {
            state.withLock { $0.writeLimits.append((directory, max(1, bytesMax))) }
        }

        /// Takes back everything that was armed below `directory`.
        public static func disarm(under directory: String) {
            state.withLock {
                $0.armed.removeAll { $0.directory == directory }
                $0.writeLimits.removeAll { $0.directory == directory }
            }
        }

        static func strike(_ operation: FileOperation, _ path: String) -> Int32? {
            state.withLock { state in
                for index in state.armed.indices where state.armed[index].operation == operation && path.hasPrefix(state.armed[index].directory) {
                    if state.armed[index].callsBefore > 0 {
                        state.armed[index].callsBefore -= 1
                    } else if state.armed[index].strikes > 0 {
                        state.armed[index].strikes -= 1
                        return state.armed[index].code
                    }
                }
                return nil
            }
        }

        static func writeLimit(_ path: String) -> Int? {
            state.withLock { $0.writeLimits.first { path.hasPrefix($0.directory) }?.bytesMax }
        }
    }
#endif
