import LibRDKafka
import PluginKit

/// What librdkafka hands to every callback. Its first field is all that a report of a delivered record needs.
struct CallbackContext {
    let slots: UnsafeMutablePointer<SubmissionTable.Slot>
    let host: PluginHost
    /// Set before the first poll.
    var producer: Unmanaged<Producer>?
    /// Records that librdkafka has and has not reported. [poll thread]
    var underWay = 0
    /// Of these, so many were there before the flight that is under way: it has landed when no more are left.
    var before = 0
}

/// One delivery report. [poll thread]
let deliveryReport: @convention(c) (OpaquePointer?, UnsafePointer<rd_kafka_message_t>?, UnsafeMutableRawPointer?) -> Void = { client, message, opaque in
    guard let message, let opaque else { return }
    let context = opaque.assumingMemoryBound(to: CallbackContext.self)
    context.pointee.underWay &-= 1
    // Ends the flush that waits for the landing, whatever else is under way.
    if context.pointee.underWay == context.pointee.before { rd_kafka_yield(client) }
    let tag = message.pointee._private
    guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
        let size = message.pointee.len &+ message.pointee.key_len
        let topic = message.pointee.rkt
        context.pointee.producer?._withUnsafeGuaranteedRef {
            $0.settle(tag, message.pointee.err, wholeBatch: $0.topicLimits.isBelow(size, topic))
        }
        return
    }
    let slot = SubmissionTable.parts(tag).slot
    let entry = context.pointee.slots + Int(slot)
    entry.pointee.settled &+= 1
    if entry.pointee.settled == entry.pointee.count { context.pointee.producer?._withUnsafeGuaranteedRef { $0.finish(slot) } }
}

/// An error of the client as a whole. [poll thread]
let clientError: @convention(c) (OpaquePointer?, Int32, UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void = { _, code, reason, opaque in
    guard let opaque else { return }
    let context = opaque.assumingMemoryBound(to: CallbackContext.self)
    let text = reason.map { String(cString: $0) } ?? ""
    context.pointee.producer?.takeUnretainedValue().noticed(rd_kafka_resp_err_t(code), text)
}

/// A line of librdkafka's log, from any of its threads. Its levels are syslog's.
let clientLog: @convention(c) (OpaquePointer?, Int32, UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Void = { handle, level, facility, line in
    guard let handle, let opaque = rd_kafka_opaque(handle), let line else { return }
    let context = opaque.assumingMemoryBound(to: CallbackContext.self)
    let name = facility.map { String(cString: $0) } ?? ""
    context.pointee.host.log(level <= 2 ? .error : level <= 4 ? .warning : .debug, "librdkafka \(name): \(String(cString: line))")
}
