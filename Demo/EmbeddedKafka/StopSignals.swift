import Glibc

/// TERM and INT as something to poll: a thread waits for them and then closes its end of a pipe.
/// Made before any other thread starts, so that librdkafka's threads keep the two blocked as well.
/// The pipe stays open until the process ends.
struct StopSignals {
    /// Becomes readable (end of file) at the first signal.
    let descriptor: Int32

    init() throws(MockError) {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        sigprocmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)

        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw MockError("pipe: errno \(errno)") }
        descriptor = ends[0]
        var thread = pthread_t()
        let started = pthread_create(
            &thread, nil,
            { writeEnd in
                var set = sigset_t()
                sigemptyset(&set)
                sigaddset(&set, SIGTERM)
                sigaddset(&set, SIGINT)
                var number: Int32 = 0
                while sigwait(&set, &number) != 0 {}
                close(Int32(Int(bitPattern: writeEnd)))
                return nil
            }, UnsafeMutableRawPointer(bitPattern: Int(ends[1])))
        guard started == 0 else { throw MockError("pthread_create: errno \(started)") }
    }
}
