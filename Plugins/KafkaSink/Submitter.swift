import LibRDKafka
import PluginABI
import PluginKit
import Synchronization

/// Hands the records of a submission to librdkafka: runs of one topic at a time through an array that is kept, single records where they
/// have headers or a time of their own. [lane]
final class Submitter {
    private let producer: Producer
    private let topics: TopicCatalog
    private let messages: UnsafeMutablePointer<rd_kafka_message_t>
    private static let messagesMax = 512
    // The rate of late, judged over windows of at least this many nanoseconds; records a second from which on it is load.
    private static let window: UInt64 = 5_000_000
    private static let busyRate: UInt64 = 2_000
    private var windowStart: UInt64 = 0
    private var recent: UInt64 = 0
    private var busy = false

    init(_ producer: Producer, _ topics: TopicCatalog) {
        self.producer = producer
        self.topics = topics
        messages = .allocate(capacity: Self.messagesMax)
        messages.initialize(repeating: rd_kafka_message_t(), count: Self.messagesMax)
    }

    deinit { messages.deallocate() }

    func submit(_ submission: UnsafePointer<cdcp_submission>) -> cdcp_status {
        let count = submission.pointee.record_count
        guard count > 0 else {
            producer.host.complete(submission.pointee.id)
            return CDCP_OK
        }
        guard let records = submission.pointee.records else { return CDCP_E_FATAL }
        guard let slot = producer.table.take(submission.pointee.id, count: count) else {
            producer.hurry()
            return CDCP_E_AGAIN
        }
        if producer.dead.load(ordering: .acquiring) {
            for index in 0..<count { producer.refuse(slot, index, RD_KAFKA_RESP_ERR__FATAL) }
            return CDCP_OK
        }
        let stride = Int(submission.pointee.record_stride)
        var index: UInt32 = 0
        while index < count { index = send(records, stride, count, from: index, slot) }
        let busy = isUnderLoad(count)
        if submission.pointee.flags & UInt32(CDCP_SUBMITF_LAST) != 0 && !busy { producer.hurry() }
        return CDCP_OK
    }

    /// Do records come so fast that batches fill by themselves? Each request not to linger would then cut them small.
    private func isUnderLoad(_ count: UInt32) -> Bool {
        let now = Clock.now()
        recent &+= UInt64(count)
        let elapsed = now &- windowStart
        if elapsed >= Self.window {
            busy = recent &* Clock.second >= Self.busyRate &* elapsed
            recent = 0
            windowStart = now
        }
        return busy
    }

    /// Sends one run of records of a topic; returns the index after it.
    private func send(_ records: UnsafeRawPointer, _ stride: Int, _ count: UInt32, from start: UInt32, _ slot: UInt32) -> UInt32 {
        let first = (records + Int(start) &* stride).assumingMemoryBound(to: cdcp_record.self)
        let topic = first.pointee.topic
        let entry = topics[topic]
        guard let handle = entry.handle else {
            producer.refuse(slot, start, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
            return start &+ 1
        }
        if isSpecial(first, entry.recordBytesMax) {
            let error =
                size(first) > entry.recordBytesMax
                ? RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE : SingleRecord.produce(first, handle, producer.handle, SubmissionTable.tag(slot, start))
            if error != RD_KAFKA_RESP_ERR_NO_ERROR { producer.refuse(slot, start, error) }
            return start &+ 1
        }
        var gathered = 0
        var index = start
        while index < count && gathered < Self.messagesMax {
            let record = (records + Int(index) &* stride).assumingMemoryBound(to: cdcp_record.self)
            if record.pointee.topic != topic || isSpecial(record, entry.recordBytesMax) { break }
            let message = messages + gathered
            message.pointee.partition = record.pointee.partition
            message.pointee.payload = UnsafeMutableRawPointer(mutating: record.pointee.value)
            message.pointee.len = record.pointee.value == nil ? 0 : Int(record.pointee.value_len)
            message.pointee.key = UnsafeMutableRawPointer(mutating: record.pointee.key)
            message.pointee.key_len = record.pointee.key == nil ? 0 : Int(record.pointee.key_len)
            message.pointee._private = SubmissionTable.tag(slot, index)
            gathered &+= 1
            index &+= 1
        }
        let taken = rd_kafka_produce_batch(handle, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_PARTITION, messages, Int32(gathered))
        if Int(taken) != gathered {
            for place in 0..<gathered where messages[place].err != RD_KAFKA_RESP_ERR_NO_ERROR {
                producer.refuse(slot, start &+ UInt32(place), messages[place].err)
            }
        }
        return index
    }

    /// Not for the array: headers, a time of its own, or something that is refused. A record without a partition must never meet librdkafka's
    /// own partitioner.
    @inline(__always) private func isSpecial(_ record: UnsafePointer<cdcp_record>, _ bytesMax: Int) -> Bool {
        record.pointee.header_count > 0 || record.pointee.timestamp_us != 0 || record.pointee.partition < 0
            || Int(record.pointee.key_len) &+ Int(record.pointee.value_len) > bytesMax
    }

    private func size(_ record: UnsafePointer<cdcp_record>) -> Int {
        var size = Int(record.pointee.key_len) + Int(record.pointee.value_len)
        guard let headers = record.pointee.headers else { return size }
        for index in 0..<Int(record.pointee.header_count) {
            size += Int(headers[index].key_len) + 10
            if headers[index].value_len != CDCP_HEADER_NULL { size += Int(headers[index].value_len) }
        }
        return size
    }
}
