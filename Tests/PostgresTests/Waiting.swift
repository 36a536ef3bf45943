import Glibc

func sleepMilliseconds(_ milliseconds: UInt32) { usleep(milliseconds * 1_000) }

/// Asks again until `condition` holds; false after `seconds`.
func eventually(seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .milliseconds(Int(seconds * 1_000))
    while ContinuousClock.now < deadline {
        if try condition() { return true }
        sleepMilliseconds(20)
    }
    return false
}
