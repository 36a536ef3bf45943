import PluginABI
import PluginKit

/// A table's shape behind the masks: text instead of whatever it was, nullable where NULL takes its place.
extension cdcp_column {
    /// Static text, since a shape may outlive the instance.
    private static let textName: StaticString = "text"

    mutating func mask(_ how: Rule.How) {
        flags |= UInt32(CDCP_COL_MASKED)
        if how == .null {
            flags = flags & ~UInt32(CDCP_COL_NOT_NULL) | UInt32(CDCP_COL_NULLABLE)
            return
        }
        type_oid = 25
        base_type_oid = 25
        typmod = -1
        base_typmod = -1
        element_oid = 0
        type_kind = UInt32(CDCP_TYPE_BASE)
        type_name = cdcp_str(
            ptr: UnsafeRawPointer(Self.textName.utf8Start).assumingMemoryBound(to: CChar.self), len: UInt32(Self.textName.utf8CodeUnitCount),
            reserved: 0)
    }
}
