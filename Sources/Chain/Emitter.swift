import PluginABI

/// What stands behind `cdcp_emitter`: writes records into record memory and lists them in a submission. Stage thread only.
final class Emitter {
    let pointer: UnsafeMutablePointer<cdcp_emitter>
    private let memory: RecordMemory
    private let batch: BatchMemory
    /// `limits.record`
    private let recordLimit: Int
    private var chunk: RecordChunk
    private(set) var submission: Submission
    private var headers: [cdcp_header] = []
    /// Rows with a record that is larger than `limits.record`, and its size.
    private(set) var oversized: [(row: Int, size: Int)] = []
    /// What the codec did that it may not.
    private(set) var violation: String?

    /// Charged to every record in `limits.record`, for what the protocol adds.
    static let recordOverhead = 128

    init(memory: RecordMemory, batch: BatchMemory, recordLimit: Int) {
        self.memory = memory
        self.batch = batch
        self.recordLimit = recordLimit
        chunk = memory.take(0)
        submission = Submission()
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: cdcp_emitter(base: nil, cur: nil, end: nil, grow: Emitter.growCall, header: Emitter.headerCall, record: Emitter.recordCall, host: nil))
        pointer.pointee.host = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        memory.release(chunk)
        pointer.deallocate()
    }

    /// Begins a batch.
    func start(_ submission: Submission) {
        self.submission = submission
        submission.reset()
        oversized.removeAll(keepingCapacity: true)
        headers.removeAll(keepingCapacity: true)
        violation = nil
        open()
    }

    private func open() {
        pointer.pointee.base = chunk.memory + chunk.used
        pointer.pointee.cur = pointer.pointee.base
        pointer.pointee.end = chunk.memory + chunk.capacity
    }

    /// Takes back the records of a row that failed: they are the last ones.
    func takeBack(_ row: Int) {
        while submission.count > 0, submission.records[submission.count - 1].row == UInt32(row) { submission.count -= 1 }
        pointer.pointee.cur = pointer.pointee.base
        headers.removeAll(keepingCapacity: true)
    }

    /// Keeps the records of these rows only (failed rows that are found after the codec has run; rows behind a stop).
    func keep(where wanted: (Int) -> Bool) {
        var kept = 0
        for index in 0..<submission.count where wanted(Int(submission.records[index].row)) {
            submission.records[kept] = submission.records[index]
            kept += 1
        }
        submission.count = kept
    }

    /// The batch is encoded: the submission holds what its records lie in.
    func finish() {
        chunk.used = pointer.pointee.base - chunk.memory
        if !submission.chunks.contains(where: { $0 === chunk }) {
            chunk.references += 1
            submission.chunks.append(chunk)
        }
    }

    private func grow(_ need: Int) -> cdcp_status {
        guard need <= 1 << 31 else { return CDCP_E_UNSUPPORTED }
        let written = pointer.pointee.cur - pointer.pointee.base
        guard written >= 0, pointer.pointee.cur <= pointer.pointee.end else {
            violation = "the codec wrote past the end of the emitter's room"
            return CDCP_E_FATAL
        }
        // Twice what is needed for a record that outgrows a block, so that a large one is not copied again and again.
        let bytes = written + need
        let larger = memory.take(bytes <= RecordMemory.chunkSize ? bytes : bytes + bytes / 2)
        larger.memory.update(from: pointer.pointee.base, count: written)
        chunk.used = pointer.pointee.base - chunk.memory
        if chunk.used > 0, !submission.chunks.contains(where: { $0 === chunk }) {
            submission.chunks.append(chunk)
        } else {
            memory.release(chunk)
        }
        chunk = larger
        open()
        pointer.pointee.cur = pointer.pointee.base + written
        return CDCP_OK
    }

    @inline(__always)
    private func record(_ row: UInt32, _ topic: UInt32, _ keyLength: UInt32, _ valueLength: UInt32, _ flags: UInt32) -> cdcp_status {
        guard let start = pointer.pointee.base, let end = pointer.pointee.cur, end <= pointer.pointee.end,
            end - start == Int(keyLength) &+ Int(valueLength), Int(row) < batch.rowCount,
            flags & UInt32(CDCP_RECORDF_NULL_VALUE) == 0 || valueLength == 0, flags & UInt32(CDCP_RECORDF_NULL_KEY) == 0 || keyLength == 0
        else {
            violation = "the codec's record does not fit what it wrote"
            return CDCP_E_FATAL
        }
        let source = batch.rows + Int(row)
        let relation = source.pointee.rel_index
        var target = topic != 0 ? topic : source.pointee.topic
        var table: UInt32 = 0
        if relation != CDCP_NO_RELATION {
            let bound = batch.bound[Int(relation)]
            table = bound.pointee.table
            if target == 0 { target = bound.pointee.topic }
        }
        guard target != 0, target < UInt32(TopicTable.countMax) else {
            violation = "a record without a topic"
            return CDCP_E_FATAL
        }
        var size = Int(keyLength) &+ Int(valueLength) &+ Emitter.recordOverhead
        var all: UnsafePointer<cdcp_header>?
        var count: UInt32 = 0
        if !headers.isEmpty || source.pointee.header_count > 0 {
            guard let (array, number, bytes) = collectHeaders(source) else { return CDCP_E_FATAL }
            (all, count) = (array, number)
            size &+= bytes
        }
        // Headers may have moved the record to another block, and lie behind it.
        guard let base = pointer.pointee.base, let cur = pointer.pointee.cur else { return CDCP_E_FATAL }
        if submission.count == submission.capacity { submission.grow() }
        (submission.records + submission.count).initialize(
            to: cdcp_record(
                key: flags & UInt32(CDCP_RECORDF_NULL_KEY) != 0 ? nil : UnsafePointer(base),
                value: flags & UInt32(CDCP_RECORDF_NULL_VALUE) != 0 ? nil : UnsafePointer(base + Int(keyLength)), key_len: keyLength,
                value_len: valueLength, topic: target, header_count: count, partition: -1, flags: flags, headers: all, timestamp_us: 0, row: row,
                table: table))
        submission.count &+= 1
        if size > recordLimit { oversized.append((Int(row), size)) }
        pointer.pointee.base = cur
        return CDCP_OK
    }

    /// The row's headers and the record's own, in memory that stays with the record; behind the record's bytes.
    private func collectHeaders(_ row: UnsafeMutablePointer<cdcp_row>) -> (UnsafePointer<cdcp_header>, UInt32, Int)? {
        let own = UnsafeBufferPointer(start: row.pointee.headers, count: row.pointee.headers == nil ? 0 : Int(row.pointee.header_count))
        let total = own.count + headers.count
        var bytes = 0
        for header in own { bytes += Int(header.key_len) + (header.value_len == CDCP_HEADER_NULL ? 0 : Int(header.value_len)) }
        for header in headers { bytes += Int(header.key_len) + (header.value_len == CDCP_HEADER_NULL ? 0 : Int(header.value_len)) }
        let need = total * MemoryLayout<cdcp_header>.stride + bytes + 16
        if pointer.pointee.end - pointer.pointee.cur < need { guard grow(need) == CDCP_OK else { return nil } }
        guard let cur = pointer.pointee.cur else { return nil }
        let aligned = UnsafeMutableRawPointer(cur).alignedUp(for: cdcp_header.self)
        let array = aligned.assumingMemoryBound(to: cdcp_header.self)
        var place = (aligned + total * MemoryLayout<cdcp_header>.stride).assumingMemoryBound(to: UInt8.self)
        var index = 0
        func copy(_ header: cdcp_header) {
            var copied = header
            if let key = header.key { place.update(from: key, count: Int(header.key_len)) }
            copied.key = UnsafePointer(place)
            place += Int(header.key_len)
            if header.value_len != CDCP_HEADER_NULL {
                if let value = header.value { place.update(from: value, count: Int(header.value_len)) }
                copied.value = UnsafePointer(place)
                place += Int(header.value_len)
            }
            array[index] = copied
            index += 1
        }
        for header in own { copy(header) }
        for header in headers { copy(header) }
        headers.removeAll(keepingCapacity: true)
        pointer.pointee.cur = place
        return (UnsafePointer(array), UInt32(total), bytes)
    }

    private func addHeader(_ header: cdcp_header) -> cdcp_status {
        guard headers.count < 1024 else { return CDCP_E_UNSUPPORTED }
        // Until its record is written it lives with the batch.
        let valueBytes = header.value_len == CDCP_HEADER_NULL ? 0 : Int(header.value_len)
        guard let memory = batch.arena.allocate(Int(header.key_len) + valueBytes + 1, align: 1) else { return CDCP_E_FATAL }
        let copy = memory.assumingMemoryBound(to: UInt8.self)
        if let key = header.key { copy.update(from: key, count: Int(header.key_len)) }
        if let value = header.value { (copy + Int(header.key_len)).update(from: value, count: valueBytes) }
        headers.append(
            cdcp_header(
                key: UnsafePointer(copy), value: UnsafePointer(copy + Int(header.key_len)), key_len: header.key_len, value_len: header.value_len))
        return CDCP_OK
    }

    private static func of(_ pointer: UnsafeMutablePointer<cdcp_emitter>?) -> Unmanaged<Emitter>? {
        pointer.map { Unmanaged<Emitter>.fromOpaque($0.pointee.host) }
    }

    private static let growCall: @convention(c) (UnsafeMutablePointer<cdcp_emitter>?, UInt64) -> cdcp_status = { emitter, need in
        guard let emitter = of(emitter)?.takeUnretainedValue(), need <= 1 << 31 else { return CDCP_E_UNSUPPORTED }
        return emitter.grow(Int(need))
    }
    private static let headerCall: @convention(c) (UnsafeMutablePointer<cdcp_emitter>?, UnsafePointer<cdcp_header>?) -> cdcp_status = { emitter, header in
        guard let emitter = of(emitter)?.takeUnretainedValue(), let header else { return CDCP_E_UNSUPPORTED }
        return emitter.addHeader(header.pointee)
    }
    private static let recordCall: @convention(c) (UnsafeMutablePointer<cdcp_emitter>?, UInt32, UInt32, UInt32, UInt32, UInt32) -> cdcp_status = {
        emitter, row, topic, keyLength, valueLength, flags in
        guard let emitter = of(emitter) else { return CDCP_E_UNSUPPORTED }
        return emitter._withUnsafeGuaranteedRef { $0.record(row, topic, keyLength, valueLength, flags) }
    }
}
