import Glibc

/// What every step of the demo shares: the screen, the signals, and what has to be undone at the end. Main thread only.
final class Session {
    let screen: Screen
    private var signals: StopSignals
    private var undo: [(what: String, action: () throws -> Void)] = []

    init(screen: Screen, signals: StopSignals) {
        self.screen = screen
        self.signals = signals
    }

    /// Somebody asked to stop, or went away.
    var stopRequested: Bool { signals.count > 0 || screen.isGone }
    /// Somebody asked again: no more waiting.
    var hurry: Bool { signals.count > 1 }

    /// Sleeps, but wakes at a signal.
    func pause(milliseconds: Int) { signals.wait(milliseconds: milliseconds) }

    /// Asks every 50 ms until the answer is there.
    /// - Returns: nil when time is up.
    /// - Throws: `Interrupted` at a signal, and what `answer` throws.
    func wait<Answer>(seconds: Double, for answer: () throws -> Answer?) throws -> Answer? {
        let deadline = Moment.now + seconds
        while true {
            if let found = try answer() { return found }
            if Moment.now >= deadline { return nil }
            pause(milliseconds: 50)
            if stopRequested { throw Interrupted() }
        }
    }

    /// Remembers how to undo a step that has just been made.
    func atEnd(_ what: String, _ action: @escaping () throws -> Void) { undo.append((what, action)) }

    /// Undoes every step, the last one first, whatever fails on the way.
    /// - Returns: whether all of it went well.
    func undoAll() -> Bool {
        var well = true
        while let step = undo.popLast() {
            do {
                try step.action()
            } catch let error as ShopError {
                screen.complain("\(step.what): \(error.message)")
                well = false
            } catch {
                screen.complain("\(step.what): \(error)")
                well = false
            }
        }
        return well
    }
}

/// Monotonic seconds.
enum Moment {
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
