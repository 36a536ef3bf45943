import Glibc
import PluginABI

extension StageInstance {
    /// Transform: the rows after `process`.
    public func process(_ rows: [RowSpec], transactions: [TransactionSpec] = [TransactionSpec()]) throws -> [RowResult] {
        let ops = try operations(cdcp_transform_ops.self, CDCP_ROLE_TRANSFORM)
        let batch = try batch(rows, transactions)
        try check("process", ops.process(instance, batch.pointer))
        let results = try batch.results(isTransform: true)
        batch.memory.poison()
        return results
    }

    /// Codec: the records of the rows.
    public func encode(_ rows: [RowSpec], transactions: [TransactionSpec] = [TransactionSpec()]) throws -> [EncodedRecord] {
        try encodeWithFailures(rows, transactions: transactions).records
    }

    /// Codec: the records, and the rows as they are left behind (`failure` says which could not be done).
    public func encodeWithFailures(
        _ rows: [RowSpec], transactions: [TransactionSpec] = [TransactionSpec()]
    ) throws -> (records: [EncodedRecord], rows: [RowResult]) {
        let ops = try operations(cdcp_codec_ops.self, CDCP_ROLE_CODEC)
        let batch = try batch(rows, transactions)
        let emitter = EmitterMemory(batch, room: 3)
        batch.emitter = emitter
        defer { batch.emitter = nil }
        try check("encode", ops.encode(instance, batch.pointer, emitter.pointer))
        emitter.finish()
        let results = try batch.results(isTransform: false)
        batch.memory.poison()
        return (emitter.records, results)
    }

    /// Nanoseconds a row that `process` or `encode` takes, best of `rounds`. Measure with release builds in $CDC_PLUGIN_DIR.
    public func nanosecondsPerRow(_ rows: [RowSpec], transactions: [TransactionSpec] = [TransactionSpec()], rounds: Int = 200) throws -> Double {
        let batch = try batch(rows, transactions, arenaRoom: 4 << 20)
        let emitter = EmitterMemory(batch, room: 1 << 20, keepsNothing: true)
        let process = try? operations(cdcp_transform_ops.self, CDCP_ROLE_TRANSFORM)
        let encode = try? operations(cdcp_codec_ops.self, CDCP_ROLE_CODEC)
        var best = UInt64.max
        for _ in 0..<rounds {
            batch.reset()
            let start = Self.now()
            let status = process?.process(instance, batch.pointer) ?? encode?.encode(instance, batch.pointer, emitter.pointer) ?? CDCP_E_UNSUPPORTED
            best = min(best, Self.now() - start)
            try check("process", status)
        }
        return Double(best) / Double(max(rows.count, 1))
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Decoder: its options for START_REPLICATION.
    public func startOptions(serverVersion: UInt32 = 150_018) throws -> [(name: String, value: String)] {
        let ops = try operations(cdcp_decoder_ops.self, CDCP_ROLE_DECODER)
        var array: UnsafePointer<cdcp_start_option>?
        var count: UInt32 = 0
        try check("start_options", ops.start_options(instance, serverVersion, &array, &count))
        return UnsafeBufferPointer(start: array, count: Int(count)).map { (string($0.name), string($0.value)) }
    }

    /// Decoder: what one message says. A status other than CDCP_OK comes with `error` and without events. Relations that were announced are kept
    /// from call to call in `relations`, empty at first.
    /// Throws ContractViolation where a cell does not lie inside the message, a cell behind the last is written or the message is.
    public func decode(_ message: [UInt8], walStart: UInt64 = 0, relations: inout DecoderRelations) throws -> Decoded {
        let ops = try operations(cdcp_decoder_ops.self, CDCP_ROLE_DECODER)
        let builder = MessageBuilder(message, relations, host)
        let status = ops.decode(instance, builder.start, UInt64(message.count), walStart, MessageBuilder.operations, builder.opaque)
        let error = host.takeError()
        let events = builder.finish()
        try host.checkViolations()
        guard status == CDCP_OK else { return Decoded(status: status, error: error, events: []) }
        relations = builder.relations
        return Decoded(status: status, error: "", events: events)
    }

    /// Partitioner: the partition of each record; -1: left to the sink.
    /// - Parameters:
    ///   - rows: the batch that the records were made from; `RecordSpec.row` points into it.
    ///   - topics: numbered from 1 in this order.
    public func assign(
        _ records: [RecordSpec], rows: [RowSpec], topics: [TopicSpec], transactions: [TransactionSpec] = [TransactionSpec()]
    ) throws -> [Int32] {
        let ops = try operations(cdcp_partitioner_ops.self, CDCP_ROLE_PARTITIONER)
        let batch = try batch(rows, transactions)
        let memory = SubmissionMemory(records, id: 0)
        let table = UnsafeMutablePointer<UnsafePointer<cdcp_topic>?>.allocate(capacity: topics.count + 1)
        table[0] = nil
        for (index, topic) in topics.enumerated() {
            let record = UnsafeMutablePointer<cdcp_topic>.allocate(capacity: 1)
            record.initialize(
                to: cdcp_topic(struct_size: UInt32(MemoryLayout<cdcp_topic>.size), partition_count: topic.partitions, name: permanent(topic.name)))
            table[index + 1] = UnsafePointer(record)
        }
        try check(
            "assign",
            ops.assign(
                instance, batch.pointer, memory.records, UInt32(records.count), UInt32(SubmissionMemory.stride), table, UInt32(topics.count + 1)))
        _ = try batch.results(isTransform: false)
        let partitions = records.indices.map { memory.record($0).pointee.partition }
        batch.memory.poison()
        return partitions
    }
}
