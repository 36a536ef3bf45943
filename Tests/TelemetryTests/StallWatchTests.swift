import Telemetry
import Testing

@Suite struct StallWatchTests {
    /// A watch that is asked in the middle of an expectation.
    private final class Watcher {
        private var stall = StallWatch()

        func look(_ beat: UInt64?, _ second: Int) -> StallWatch.Verdict { stall.look(beat, at: .seconds(second)) }

        /// Looks each quarter second from `begin` to `end`; what was not `.moves`.
        func watch(_ beat: UInt64?, _ begin: Int, _ end: Int) -> [StallWatch.Verdict] {
            (begin * 4...end * 4).map { stall.look(beat, at: .milliseconds($0 * 250)) }.filter { $0 != .moves }
        }
    }

    @Test func aStandstillIsSaidOnceAndThenOver() {
        let stall = Watcher()
        #expect(stall.watch(7, 0, 29).isEmpty)
        #expect(stall.watch(7, 30, 59) == [.isLong(.seconds(30))])
        #expect(stall.look(7, 60) == .isOver(.seconds(60)))
    }

    @Test func aBeatBeginsAnew() {
        let stall = Watcher()
        #expect(stall.watch(7, 0, 40) == [.isLong(.seconds(30))])
        #expect(stall.look(8, 41) == .moves)
        #expect(stall.watch(8, 42, 70).isEmpty)
        #expect(stall.watch(8, 71, 100) == [.isLong(.seconds(30))])
    }

    @Test func nobodyIsWatched() {
        let stall = Watcher()
        #expect(stall.watch(nil, 0, 200).isEmpty)
    }

    /// SIGSTOP and SIGCONT: both threads stood still, and only one of them is to blame for nothing.
    @Test func aWatcherThatWasAwayHasSeenNothing() {
        let stall = Watcher()
        #expect(stall.watch(7, 0, 20).isEmpty)
        #expect(stall.look(7, 140) == .moves)
        #expect(stall.watch(7, 141, 169).isEmpty)
        #expect(stall.watch(7, 170, 171) == [.isLong(.seconds(30))])
    }
}
