import Glibc
public import PluginABI

extension StageInstance {
    /// Sink: announces a topic. Returns its partition count; throws StageRefusal.
    @discardableResult
    public func topic(_ number: UInt32, _ name: String) throws -> Int32 {
        let ops = try operations(cdcp_sink_ops.self, CDCP_ROLE_SINK)
        var count: Int32 = 0
        try check("topic", ops.topic(instance, number, permanent(name), &count))
        return count
    }

    /// Sink: looks for a topic without making it. Returns its partition count; nil: not there. Throws StageRefusal.
    public func look(_ name: String) throws -> Int32? {
        guard let found = life.get_extension(instance, CDCP_EXT_TOPIC_LOOK) else { throw HarnessError("the sink does not look for topics") }
        var count: Int32 = -1
        try check("look", found.load(as: cdcp_ext_topic_look.self).look(instance, permanent(name), &count))
        return count < 0 ? nil : count
    }

    /// Sink: hands over records. Returns the submission's id; throws StageRefusal, with status CDCP_E_AGAIN where the sink is full.
    public func submit(_ records: [RecordSpec], isLast: Bool = true) throws -> UInt64 {
        let ops = try operations(cdcp_sink_ops.self, CDCP_ROLE_SINK)
        let memory = host.with { state in
            let memory = SubmissionMemory(records, id: state.nextSubmission, flags: isLast ? CDCP_SUBMITF_LAST : 0)
            state.nextSubmission += 1
            state.submissions[memory.id] = memory
            return memory
        }
        let status = ops.submit(instance, memory.pointer)
        if status != CDCP_OK { host.with { _ = $0.submissions.removeValue(forKey: memory.id) } }
        try check("submit", status)
        return memory.id
    }

    /// What the sink said of a submission; waits for it.
    public func completion(of id: UInt64, within timeout: Duration = .seconds(10)) throws -> FakeHost.Outcome {
        let end = ContinuousClock.now + timeout
        while ContinuousClock.now < end {
            if let outcome = host.with({ $0.outcomes[id] }) {
                try host.checkViolations()
                return outcome
            }
            usleep(500)
        }
        throw HarnessError("submission \(id) was not completed within \(timeout)")
    }

    /// What the sink said of a submission so far; nil: nothing yet.
    public func outcome(of id: UInt64) -> FakeHost.Outcome? { host.with { $0.outcomes[id] } }

    /// Sink: CDCP_OK, or CDCP_E_RETRY when the time is over.
    public func flush(timeoutNanoseconds: UInt64 = 10_000_000_000) throws -> cdcp_status {
        let ops = try operations(cdcp_sink_ops.self, CDCP_ROLE_SINK)
        let status = ops.flush(instance, timeoutNanoseconds)
        try host.checkViolations()
        return status
    }
}

/// The host's calls for sinks; from any thread.
func installSinkCalls(_ table: inout cdcp_host) {
    table.sink_complete = { host, id, failures, count in
        guard let host = FakeHost.of(host) else { return }
        let list = UnsafeBufferPointer(start: failures, count: Int(count)).map {
            FakeHost.Outcome.Failure(index: $0.index, cls: $0.cls, code: $0.code, message: string($0.msg, UInt64($0.msg_len)))
        }
        host.with { state in
            guard let memory = state.submissions.removeValue(forKey: id) else {
                state.violations.append("sink_complete: submission \(id) is unknown or was completed before")
                return
            }
            if list.contains(where: { Int($0.index) >= memory.count }) { state.violations.append("sink_complete: a failure's index is out of range") }
            if Set(list.map(\.index)).count != list.count { state.violations.append("sink_complete: a record failed twice") }
            state.violations += memory.retire()
            state.outcomes[id] = FakeHost.Outcome(failures: list)
        }
    }
    table.sink_health = { host, well, reason, length in
        let text = string(reason, length)
        FakeHost.of(host)?.with { $0.health.append((well != 0, text)) }
    }
    table.topic_grew = { host, topic, count in FakeHost.of(host)?.with { $0.growth.append((topic, count)) } }
}
