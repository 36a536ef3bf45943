import Glibc
import LibcExtras

/// A thread with a name, for the few that a host has. Its signals are the signal thread's.
final class Thread: @unchecked Sendable {
    // SAFETY: the handle is written before the value is handed out, and joined once; `body` is the new thread's once it runs.
    private var handle = pthread_t()
    private var body: (@Sendable () -> Void)?
    private var joined = false

    /// Starts at once.
    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        self.body = body
        let box = Unmanaged.passRetained(self)
        let code = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Thread>.fromOpaque(argument).takeRetainedValue().runBody()
                return nil
            }, box.toOpaque())
        if code != 0 { box.release() } else { pthread_setname_np(handle, String(name.prefix(15))) }
    }

    /// What the body holds, a connection for one, goes with its end, and not with that of whoever keeps this value.
    private func runBody() {
        let work = body
        body = nil
        work?()
    }

    /// Waits for its end.
    func join() {
        guard !joined else { return }
        joined = true
        pthread_join(handle, nil)
    }
}
