import Glibc
import Pipeline
import PluginABI

/// The C side of `BatchBuilder`.
enum BuilderCallbacks {
    @inline(__always)
    private static func builder(_ handle: OpaquePointer?) -> BatchBuilder? {
        handle.map { Unmanaged<BatchBuilder>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }

    static let table = cdcp_builder_ops(
        struct_size: UInt32(MemoryLayout<cdcp_builder_ops>.size), column_size: UInt32(MemoryLayout<cdcp_column>.stride),
        relation: { handle, oid, schema, table, identity, columns, count, size in
            guard let builder = builder(handle), count <= 2048, size >= 48, columns != nil || count == 0 else { return CDCP_E_DATA }
            var shapes: [ColumnShape] = []
            for index in 0..<Int(count) {
                guard let columns else { break }
                let column = UnsafeRawPointer(columns).advanced(by: index * Int(size)).assumingMemoryBound(to: cdcp_column.self)
                shapes.append(
                    ColumnShape(
                        name: String(abi: column.pointee.name), typeOID: column.pointee.type_oid, typmod: column.pointee.typmod,
                        flags: column.pointee.flags & UInt32(CDCP_COL_IDENTITY)))
            }
            let shape = RelationShape(
                oid: oid, schema: String(abi: schema), table: String(abi: table), replicaIdentity: identity, columns: shapes)
            builder.announceLazily(shape)
            return CDCP_OK
        },
        // Names come from the catalog, with all else that a column's type needs.
        type: { _, _, _, _ in CDCP_OK },
        begin: { handle, xid, lsn, time in
            guard let builder = builder(handle) else { return CDCP_E_FATAL }
            do throws(TransactionTracker.Violation) {
                try builder.begin(xid: xid, commitLSN: lsn, time: time)
                return CDCP_OK
            } catch { return builder.violated(error) }
        },
        origin: { handle, name, lsn in
            builder(handle)?.origin(name, lsn: lsn)
            return CDCP_OK
        },
        row: { handle, op, oid, flags, hasOld, count, new, old in
            guard let handle, op >= UInt8(CDCP_OP_INSERT), op <= UInt8(CDCP_OP_DELETE) else { return CDCP_E_DATA }
            return Unmanaged<BatchBuilder>.fromOpaque(UnsafeRawPointer(handle))._withUnsafeGuaranteedRef {
                $0.row(op: op, oid: oid, flags: flags, hasOld: hasOld != 0, columnCount: count, new: new, old: old)
            }
        },
        truncate: { handle, oids, count, _ in
            guard let builder = builder(handle), oids != nil || count == 0, count <= 1_000_000 else { return CDCP_E_DATA }
            return builder.truncate(UnsafeBufferPointer(start: oids, count: Int(count)))
        },
        message: { handle, message in
            guard let builder = builder(handle), let message else { return CDCP_E_DATA }
            return builder.message(message.pointee)
        },
        commit: { handle, lsn, end, time in
            guard let builder = builder(handle) else { return CDCP_E_FATAL }
            do throws(TransactionTracker.Violation) {
                try builder.commit(commitLSN: lsn, end: end, time: time)
                return CDCP_OK
            } catch { return builder.violated(error) }
        })
}

/// Microseconds since 1970 UTC, for timestamps of events only.
func wallClockMicroseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000
}
