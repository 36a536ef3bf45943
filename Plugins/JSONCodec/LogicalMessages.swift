import PluginABI
import PluginKit

extension BatchEncoder {
    /// A logical message: to a topic of its own, the prefix as key.
    mutating func message(_ index: UInt32, _ row: UnsafeMutablePointer<cdcp_row>) throws(CellFailure) {
        writer.column = -1
        guard let cells = row.pointee.new_cells else { throw .noTuple }
        if messageTopicNumber == 0 {
            do throws(StageError) {
                messageTopicNumber = try host.topic(messageTopic)
            } catch {
                host.setError(error.message)
                status = error.status
                throw .stopped
            }
        }
        let prefix = (try bytes(cells), Int(cells.pointee.len))
        let content = (try bytes(cells + 1), Int(cells[1].len))
        try writer.room(64)
        writer.put(#"{"prefix":"#)
        try writer.quoted(prefix.0, prefix.1)
        try writer.room(64)
        writer.byte(UInt8(ascii: "}"))
        let key = writer.count
        if compact {
            writer.put(#"{"op":"m","prefix":"#)
            try pair(prefix, #","content":"#, content, .base64)
            try commit(row.pointee.seq &* 2 &- 1)
        } else {
            writer.put(#"{"op":"m","ts_ms":"#)
            writer.signed(clock.milliseconds)
            try source(row, stream.messageTable)
            writer.put(#","message":{"prefix":"#)
            try pair(prefix, #","content":"#, content, messageBinary)
            try writer.room(32)
            writer.put("}}")
        }
        try emit(index, key, topic: messageTopicNumber)
    }

    private mutating func pair(
        _ prefix: (UnsafePointer<UInt8>, Int), _ between: StaticString, _ content: (UnsafePointer<UInt8>, Int), _ form: BinaryText
    ) throws(CellFailure) {
        try writer.quoted(prefix.0, prefix.1)
        try writer.room(64)
        writer.put(between)
        try writer.binary(content.0, content.1, as: form)
        try writer.room(32)
    }

    private func bytes(_ cell: UnsafeMutablePointer<cdcp_cell>) throws(CellFailure) -> UnsafePointer<UInt8> {
        if let start = cell.pointee.ptr { return start }
        guard cell.pointee.len == 0 else { throw .malformed }
        return UnsafePointer(stream.database.start)
    }
}
