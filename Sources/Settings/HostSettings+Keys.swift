/// One key of the effective settings, for people and for comparison.
public struct EffectiveSetting: Sendable, Equatable {
    /// `source.slot.name`
    public var keyPath: String
    /// Its value as it is written; a secret is masked.
    public var shown: String
    /// Its value for comparison: tells two secrets apart.
    var compared: String
}

extension HostSettings {
    /// Every key with its value, in the order of the manual.
    public var effective: [EffectiveSetting] {
        var list: [EffectiveSetting] = []
        func add(_ keyPath: String, _ value: String) { list.append(EffectiveSetting(keyPath: keyPath, shown: value, compared: value)) }
        func add(_ keyPath: String, _ value: Duration) { add(keyPath, Quantity.duration.text(value.wholeNanoseconds)) }
        func add(_ keyPath: String, size: Int) { add(keyPath, Quantity.size.text(Int64(size))) }
        func add<Pattern: CustomStringConvertible>(_ keyPath: String, _ patterns: [Pattern]) {
            add(keyPath, "[\(patterns.map(\.description).joined(separator: ", "))]")
        }

        add("name", name)
        list.append(EffectiveSetting(keyPath: "source.connection", shown: source.connection.redacted, compared: source.connection.exposed))
        add("source.mode", source.mode.rawValue)
        add("source.slot.name", source.slot.name)
        add("source.slot.create", String(source.slot.create))
        add("source.slot.drop_on_stop", String(source.slot.dropOnStop))
        if let wait = source.slot.wait { add("source.slot.wait", wait) } else { add("source.slot.wait", "wal_sender_timeout + 10s") }
        add("source.publication.name", source.publication.name)
        add("source.publication.manage", String(source.publication.manage))
        add("source.tables.include", source.tables.include)
        add("source.tables.exclude", source.tables.exclude)
        add("source.columns.include", source.columns.include)
        add("source.columns.exclude", source.columns.exclude)
        add("source.rows", "{\(source.rows.map { "\($0.table): \($0.condition)" }.joined(separator: ", "))}")
        add("source.status_interval", source.statusInterval)
        add("source.connect_timeout", source.connectTimeout)
        add("source.silence_timeout", source.silenceTimeout)
        add("snapshot.mode", snapshot.mode.rawValue)
        add("snapshot.workers", String(snapshot.workers))
        add("snapshot.chunk_rows", String(snapshot.chunkRows))
        add("topics.prefix", topics.prefix)
        add("topics.template", topics.template)
        add("state.directory", stateDirectory)
        add("limits.in_flight", size: limits.inFlight)
        add("limits.record", size: limits.record)
        add("limits.stop", limits.stop)
        add("batch.rows", String(batch.rows))
        add("batch.bytes", size: batch.bytes)
        add("retry.initial", retry.initial)
        add("retry.max", retry.max)
        if let giveUpAfter = retry.giveUpAfter { add("retry.give_up_after", giveUpAfter) } else { add("retry.give_up_after", "never") }
        add("dead_letters.topic", deadLetters.topic)
        add("dead_letters.values", deadLetters.values.rawValue)
        add("admin.listen", adminListen.description)
        add("log.level", log.level.rawValue)
        add("log.format", log.format.rawValue)
        add("log.file", log.file ?? "standard error")
        return list
    }

    /// One line a key, secrets masked.
    public var dump: String {
        effective.map { "\($0.keyPath) = \($0.shown)\n" }.joined()
    }

    /// The keys whose values differ, in the order of the manual; a reload refuses with their names.
    public func differingKeys(from other: HostSettings) -> [String] {
        zip(effective, other.effective).filter { $0.compared != $1.compared }.map(\.0.keyPath)
    }
}

extension Duration {
    /// Nanoseconds; settings hold no finer ones, and none beyond 64 bits.
    var wholeNanoseconds: Int64 {
        components.seconds &* 1_000_000_000 &+ components.attoseconds / 1_000_000_000
    }
}
