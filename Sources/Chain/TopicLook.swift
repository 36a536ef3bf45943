import PluginABI

extension StageInstance {
    /// What a sink says of a topic without making it.
    public enum TopicLook: Equatable, Sendable {
        case there(partitions: Int32)
        /// The first record's announcement would make it.
        case wouldBeMade
    }

    /// nil: this sink cannot be asked. [control]
    public func look(forTopic name: String) throws(StageFailure) -> TopicLook? {
        guard let found = code.life.get_extension?(pointer, CDCP_EXT_TOPIC_LOOK) else { return nil }
        let table = found.assumingMemoryBound(to: cdcp_ext_topic_look.self)
        guard table.pointee.struct_size >= UInt32(MemoryLayout<cdcp_ext_topic_look>.size) else { return nil }
        var partitions: Int32 = -1
        try check("look", table.pointee.look?(pointer, PermanentText.make(name), &partitions))
        return partitions < 0 ? .wouldBeMade : .there(partitions: partitions)
    }
}
