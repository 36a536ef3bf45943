import Chain
import Glibc

/// A thread that runs one closure.
final class Worker: @unchecked Sendable {
    // SAFETY: `body` is the new thread's, `handle` the owner's.
    private let body: () -> Void
    private var handle = pthread_t()

    init(_ body: @escaping () -> Void) {
        self.body = body
        let this = Unmanaged.passRetained(self).toOpaque()
        pthread_create(&handle, nil, { Unmanaged<Worker>.fromOpaque($0!).takeRetainedValue().body(); return nil }, this)
    }

    func join() { pthread_join(handle, nil) }
}

/// Waits up to ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<10_000 {
        if condition() { return true }
        usleep(1000)
    }
    return condition()
}
