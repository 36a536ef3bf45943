
/// What the stage thread tells the host, once a batch and not once a row. Called on the stage thread, `acknowledged` and `skipped` also on the sink's.
public protocol LaneObserver: AnyObject, Sendable {
    /// Rows that the server sent, before any transform. `table` is `schema.table`; empty for logical messages.
    func rows(table: String, op: UInt8, count: UInt64)
    /// A batch went through; nanoseconds by stage index of the plan (transforms, codec, partitioner), the decoder's in front, the sink's last.
    func batch(plan: Plan, nanoseconds: UnsafeBufferPointer<UInt64>)
    func acknowledged(topic: UInt32, records: Int)
    func skipped(stage: String, code: Int32, rows: Int)
    /// The sink does not take more: waiting began, or is over after so long.
    func backpressure(begins: Bool, nanoseconds: UInt64)
    /// A topic could not be had yet.
    func topicDelayed(name: String, message: String)
    /// A topic was found or made.
    func topicReady(name: String)
    func transactions(_ count: Int)
}
