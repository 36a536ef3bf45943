import Telemetry
import Testing

@Suite struct HealthTests {
    @Test func startingIsAliveButNotReady() {
        let health = Health()
        #expect(health.liveness(at: .seconds(1)).ok)
        #expect(health.readyAnswer(at: .seconds(3)) == (503, "{\"ready\":false,\"phase\":\"starting\",\"reason\":\"starting\",\"seconds\":3}\n"))
    }

    @Test(arguments: [HealthPhase.snapshot, .streaming])
    func rowsFlowInSnapshotAndStream(_ phase: HealthPhase) {
        var health = Health()
        health.enter(phase, at: .seconds(1))
        #expect(health.readyAnswer(at: .seconds(2)) == (200, "{\"ready\":true,\"phase\":\"\(phase.rawValue)\"}\n"))
    }

    @Test func aSideThatIsAwayIsNamedAndLeavesTheProcessAlive() {
        var health = Health()
        health.enter(.streaming, at: .seconds(1))
        health.away(.sink, "no broker answers", at: .seconds(10))
        health.away(.sink, "still none", at: .seconds(12))
        let (ok, reason) = health.readiness(at: .seconds(15))
        #expect(!ok)
        #expect(reason == HealthReason(code: "sink_away", detail: "still none", lasting: .seconds(5)))
        #expect(health.liveness(at: .seconds(15)).ok)
        health.present(.sink, at: .seconds(16))
        #expect(health.readiness(at: .seconds(16)).ok)
    }

    @Test func aSilentSideIsNoticedWithinThirtySeconds() {
        var health = Health()
        health.enter(.streaming, at: .zero)
        health.heard(.source, at: .seconds(10))
        #expect(health.readiness(at: .seconds(40)).ok)
        #expect(health.readiness(at: .seconds(41)).reason?.code == "source_silent")
        health.heard(.source, at: .seconds(42))
        #expect(health.readiness(at: .seconds(43)).ok)
        health.unwatch(.source)
        #expect(health.readiness(at: .seconds(900)).ok)
    }

    @Test func slotCreationThatWaitsSaysForWhat() {
        var health = Health()
        health.enter(.slotCreationWaiting, "waits for the transaction of backend 4711", at: .seconds(2))
        health.away(.sink, "gone", at: .seconds(3))
        #expect(
            health.readyAnswer(at: .seconds(6)).body
                == #"{"ready":false,"phase":"slot_creation_waiting","reason":"sink_away","detail":"gone","seconds":3,"also":["slot_creation_waiting"]}"#
                + "\n")
    }

    @Test func aThreadThatHangsIsNotAlive() {
        var health = Health()
        let beat = health.register(thread: "reader", at: .zero)
        beat.beat(at: .seconds(100))
        #expect(health.liveness(at: .seconds(160)).ok)
        #expect(health.healthAnswer(at: .seconds(161)) == (503, "{\"alive\":false,\"reason\":\"the thread reader has not moved for 1m1s\"}\n"))
        health.unregister(beat)
        #expect(health.healthAnswer(at: .seconds(500)) == (200, "{\"alive\":true}\n"))
    }

    @Test func aFailureEndsBoth() {
        var health = Health()
        health.enter(.failed, "the slot is gone", at: .seconds(1))
        #expect(health.liveness(at: .seconds(1)) == (false, "the slot is gone"))
        #expect(health.readiness(at: .seconds(1)).reason?.code == "failed")
    }
}
