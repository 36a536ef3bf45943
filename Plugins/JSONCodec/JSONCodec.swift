import PluginABI
import PluginKit

/// The codec's stage. Plans are made at bind; a batch is written by `BatchEncoder`, which sees only pointers.
final class JSONCodec: CodecStage {
    private var options = CodecOptions()
    /// Entries of `message_key_columns` that fit a table, by their place.
    private var usedKeys: Set<Int> = []
    /// Columns that were named in the log.
    private var noted: Set<String> = []
    private var resources: CodecResources?

    override func configure(_ options: Options) throws(StageError) {
        self.options = try CodecOptions(options)
    }

    override func activate(lane: UInt32, maxRows: UInt32) throws(StageError) {
        resources = CodecResources(host.stream, contextHeaders: options.contextHeaders)
    }

    override func bind(_ relation: UnsafePointer<cdcp_relation>) throws(StageError) -> Binding {
        if let own = options.ownKeys.firstIndex(where: { $0.covers(relation) }) { usedKeys.insert(own) }
        let (plan, notes) = try RelationBinding(options: options, relation: relation).plan()
        for note in notes where noted.insert(note).inserted { host.log(.info, note) }
        let memory = UnsafeMutablePointer<RelationPlan>.allocate(capacity: 1)
        memory.initialize(to: plan)
        return Binding(plan: UnsafeMutableRawPointer(memory))
    }

    override func unbind(_ plan: UnsafeMutableRawPointer?) {
        guard let plan = plan?.assumingMemoryBound(to: RelationPlan.self) else { return }
        plan.pointee.free()
        plan.deallocate()
    }

    override func bindingsComplete() throws(StageError) {
        for (place, own) in options.ownKeys.enumerated() where !usedKeys.contains(place) {
            throw .config(
                "\(own.origin): no table \(own.table) is streamed that no earlier entry fits; write schema.table as it is in tables.include")
        }
    }

    override func encode(_ batch: UnsafeMutablePointer<cdcp_batch>, _ emitter: UnsafeMutablePointer<cdcp_emitter>) -> cdcp_status {
        guard let resources else {
            host.setError("the codec was not activated")
            return CDCP_E_FATAL
        }
        do throws(CellFailure) {
            var encoder = try BatchEncoder(host: host, batch: batch, emitter: emitter, options: options, resources: resources)
            return encoder.encode()
        } catch {
            host.setError("no memory for the records of a batch")
            return CDCP_E_FATAL
        }
    }

    override func deactivate(timeoutNanoseconds: UInt64) throws(StageError) { resources = nil }
}

/// Memory that an instance keeps from batch to batch, and what never changes.
final class CodecResources {
    let stream: StreamText
    let memory: UnsafeMutablePointer<Scratch>
    let quoted: UnsafeMutablePointer<Scratch>
    let transaction = PrivateEmitter.make()
    let clock = PrivateEmitter.make()
    let oldKey = PrivateEmitter.make()
    let newKey = PrivateEmitter.make()
    let messageTopic: String
    let contextHeaders: ContextHeaders?

    init(_ stream: cdcp_stream, contextHeaders: Bool) {
        self.stream = StreamText(stream)
        memory = .allocate(capacity: 1)
        memory.initialize(to: Scratch())
        quoted = .allocate(capacity: 1)
        quoted.initialize(to: Scratch())
        messageTopic = String(stream.topic_prefix) + ".message"
        self.contextHeaders = contextHeaders ? ContextHeaders(logicalName: String(stream.topic_prefix)) : nil
    }

    deinit {
        stream.free()
        for scratch in [memory, quoted] {
            scratch.pointee.free()
            scratch.deallocate()
        }
        for emitter in [transaction, clock, oldKey, newKey] { PrivateEmitter.free(emitter) }
        contextHeaders?.free()
    }
}
