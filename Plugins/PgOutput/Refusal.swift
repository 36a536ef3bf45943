import PluginABI

/// Why a message is not taken.
enum Refusal: Error {
    case short
    case length
    case trailing
    case unendedText
    case notUTF8
    case timestamp
    case unknownMessage
    case streamedMessage
    case twoPhaseMessage
    case tupleKind
    case columnKind
    case columnCount
    case tooManyColumns
    case tooManyRelations
    case relationNumber
    case unknownRelation
    case replicaIdentity
    case messageFlags
    case commitFlags
    case outsideTransaction
    case insideTransaction
    case commitOfAnother
    case commitEnd
    /// The host's builder did not take it, and has said why.
    case builder(cdcp_status)

    /// A clause for people; never a value.
    var text: String {
        switch self {
        case .short: "it ends in the middle of a field"
        case .length: "a length reaches beyond its end"
        case .trailing: "bytes follow where it should end"
        case .unendedText: "a name has no end inside it"
        case .notUTF8: "a name is not UTF-8"
        case .timestamp: "a time is out of range"
        case .unknownMessage: "messages of this type are not part of protocol version 1"
        case .streamedMessage: "it belongs to the streaming of open transactions, which was not asked for and is not supported yet"
        case .twoPhaseMessage: "it belongs to two-phase commit, which was not asked for and is not supported yet"
        case .tupleKind: "a tuple is of no kind that may stand there"
        case .columnKind: "a column is of no kind that the protocol knows"
        case .columnCount: "it has another number of columns than the table's last Relation message"
        case .tooManyColumns: "it has more columns than a table can have (\(RelationTable.maximumColumns))"
        case .tooManyRelations: "more tables were announced than this decoder keeps (\(RelationTable.maximumCount))"
        case .relationNumber: "0 is not the number of a table"
        case .unknownRelation: "no Relation message announced the table before"
        case .replicaIdentity: "the replica identity is none of d, n, f, i"
        case .messageFlags: "it has flags that the protocol does not know"
        case .commitFlags: "it has flags, where the protocol has none"
        case .outsideTransaction: "it may only stand between Begin and Commit"
        case .insideTransaction: "it may not stand between Begin and Commit"
        case .commitOfAnother: "it ends another transaction than the one that Begin announced"
        case .commitEnd: "it ends before it begins"
        case .builder: "the host does not take it"
        }
    }
}
