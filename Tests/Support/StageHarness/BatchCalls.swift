import PluginABI

/// The host's calls that take a batch.
func installBatchCalls(_ table: inout cdcp_host) {
    table.row_add_header = { batch, row, header in
        guard let batch = BatchMemory.of(batch), let header = header?.pointee, row < batch.pointer.pointee.row_count else {
            return CDCP_E_UNSUPPORTED
        }
        let target = batch.row(Int(row))
        let known = UnsafeBufferPointer(start: target.pointee.headers, count: Int(target.pointee.header_count)).map { Header($0) }
        target.pointee.headers = batch.headerArray(known + [Header(header)])
        target.pointee.header_count += 1
        return CDCP_OK
    }
    table.row_fail = { batch, row, code, text, length in
        guard let batch = BatchMemory.of(batch), row < batch.pointer.pointee.row_count else { return CDCP_E_UNSUPPORTED }
        batch.row(Int(row)).pointee.disposition = UInt8(CDCP_ROW_FAIL)
        batch.failures[row] = RowResult.Failure(code: code, text: string(text, length))
        batch.emitter?.takeBack(row)
        return CDCP_OK
    }
}
