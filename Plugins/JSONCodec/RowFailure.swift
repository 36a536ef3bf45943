import PluginABI
import PluginKit

extension CellFailure {
    /// What the host does with the row depends on it.
    var code: Int32 {
        switch self {
        case .keyNotSent, .noTuple: CDCP_CODE_SHAPE
        case .tooLarge: CDCP_CODE_TOO_LARGE
        default: CDCP_CODE_VALUE
        }
    }

    /// What is wrong, where, and what to do; never a value.
    func sentence(_ plan: UnsafePointer<RelationPlan>?, column: Int) -> String {
        guard let plan else { return "a logical message: \(reason)" }
        let relation = plan.pointee.relation
        guard column >= 0, column < relation.columnCount else { return "table \(relation.qualifiedName): \(reason)" }
        return "column \(relation.qualifiedName).\(String(relation.column(column).pointee.name)): \(reason)"
    }

    private var reason: String {
        switch self {
        case .malformed: "the value is not in the form of the column's type; look at the stages before the codec"
        case .notUTF8: "the text is not UTF-8, so a stage before the codec has damaged it; correct or remove that stage"
        case .notFinite: "NaN and infinity have no precise decimal; set decimal_handling_mode to string or double"
        case .outOfRange: "the value is beyond what 64 bits hold in this unit; choose another time_precision_mode or decimal_handling_mode"
        case .binary: "the value is in PostgreSQL's binary format; set binary: false in the decoder's options"
        case .keyNotSent: "a key column was not sent by the server; ALTER TABLE … REPLICA IDENTITY so that it covers the key"
        case .noTuple: "the row lacks the tuple that its operation needs; look at the stages before the codec"
        case .tooLarge: "the record has more than 4 GiB; leave a column out in source.columns"
        case .memory, .stopped: "the record could not be written"
        }
    }
}
