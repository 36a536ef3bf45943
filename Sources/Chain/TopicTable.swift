import PluginABI

/// Topics of this process: a number for each name, and what the sink said of it. Numbers are never reused.
///
/// Names may be asked for from any thread; partition counts are written by the stage thread only.
public final class TopicTable: @unchecked Sendable {
    // SAFETY: `numbers` and `names` under the gate; `array` is allocated once at full size, its entries written before their number is known.
    /// Topics that one process may use.
    public static let countMax = 65_536
    /// Longest name that Kafka takes.
    public static let nameBytesMax = 249

    private let gate = Gate()
    private var numbers: [String: UInt32] = [:]
    private var names: [String] = [""]
    /// Indexed by number; nil until the sink has found the topic.
    let array: UnsafeMutablePointer<UnsafePointer<cdcp_topic>?>

    /// Without any topic; 0 stands for none.
    public init() {
        array = .allocate(capacity: Self.countMax)
        array.initialize(repeating: nil, count: Self.countMax)
    }

    /// Characters that Kafka refuses become `_`, as in Debezium.
    public static func sanitized(_ name: String) -> String {
        String(
            decoding: name.utf8.flatMap { byte -> [UInt8] in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    [byte]
                // One `_` a character, not a byte of it.
                case 0x80...0xBF: []
                default: [UInt8(ascii: "_")]
                }
            }, as: UTF8.self)
    }

    /// Number of a topic; nil: the name is empty, too long, or there are too many.
    public func number(_ name: String) -> UInt32? {
        let name = Self.sanitized(name)
        guard !name.isEmpty, name.utf8.count <= Self.nameBytesMax, name != ".", name != ".." else { return nil }
        return gate.locked {
            if let known = numbers[name] { return known }
            guard names.count < Self.countMax else { return nil }
            let number = UInt32(names.count)
            numbers[name] = number
            names.append(name)
            return number
        }
    }

    /// Empty for a number that was never given.
    public func name(_ number: UInt32) -> String { gate.locked { Int(number) < names.count ? names[Int(number)] : "" } }

    var count: Int { gate.locked { names.count } }

    func isResolved(_ number: UInt32) -> Bool { Int(number) < Self.countMax && array[Int(number)] != nil }

    /// What the sink said. The count stays for the life of the sink: a topic that grows is reported, never followed silently.
    func resolve(_ number: UInt32, partitions: Int32) {
        let name = name(number)
        let topic = UnsafeMutablePointer<cdcp_topic>.allocate(capacity: 1)
        topic.initialize(
            to: cdcp_topic(struct_size: UInt32(MemoryLayout<cdcp_topic>.size), partition_count: partitions, name: PermanentText.make(name)))
        array[Int(number)] = UnsafePointer(topic)
    }

    /// A new instance of the sink has to find its topics again.
    public func forgetResolutions() {
        for number in 0..<count where array[number] != nil { array[number] = nil }
    }
}

/// Text that lives as long as the process: names of relations, columns, topics, stages. Few and small.
enum PermanentText {
    static func make(_ text: String) -> cdcp_str {
        var text = text
        return text.withUTF8 { bytes in
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
            for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
            copy[bytes.count] = 0
            return cdcp_str(ptr: copy, len: UInt32(bytes.count), reserved: 0)
        }
    }
}

extension String {
    init(abi text: cdcp_str) {
        guard let start = text.ptr, text.len > 0 else {
            self = ""
            return
        }
        self = String(decoding: UnsafeRawBufferPointer(start: start, count: Int(text.len)), as: UTF8.self)
    }
}
