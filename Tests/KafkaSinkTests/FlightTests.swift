import Glibc
import PluginABI
import StageHarness
import Testing

/// What waits before librdkafka while a batch is under way. In the same suite: other producers would spoil the measurement.
extension DeliveryTests {
    private func sink(_ kafka: EmbeddedKafka, _ more: [Option.Entry] = []) throws -> StageInstance {
        let options: Option = ["kafka": .map([.init("bootstrap.servers", .string(kafka.bootstrapServers))] + more)]
        return try PluginFile.named("KafkaSink").stage(options: options)
    }

    private func records(_ range: Range<Int>, size: Int, partitions: Int) -> [RecordSpec] {
        let filler = String(repeating: "x", count: size)
        return range.map { RecordSpec(key: "k\($0 % partitions)", value: "\($0) \(filler)", topic: 1, partition: Int32($0 % partitions)) }
    }

    /// Processor time of librdkafka's broker threads, in clock ticks.
    private func brokerThreadTicks() -> Int {
        guard let folder = opendir("/proc/self/task") else { return 0 }
        defer { closedir(folder) }
        var ticks = 0
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            guard let file = fopen("/proc/self/task/\(name)/stat", "r") else { continue }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 1024)
            guard fgets(&line, 1024, file) != nil else { continue }
            let text = line.withUnsafeBufferPointer { String(decoding: $0.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) }
            guard text.contains("(rdk:broker"), let end = text.lastIndex(of: ")") else { continue }
            let fields = text[text.index(after: end)...].split(separator: " ")
            ticks += (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0)
        }
        return ticks
    }

    @Test("While a slow broker has a batch, what comes meanwhile waits without a busy loop, and then leaves together")
    func slowBroker() throws {
        let kafka = try EmbeddedKafka(topics: ["orders:1"])
        let sink = try sink(kafka)
        try sink.topic(1, "orders")
        _ = try sink.completion(of: try sink.submit(records(0..<10, size: 20, partitions: 1)))
        try kafka.tell("rtt 1 300")
        let start = brokerThreadTicks()
        var ids: [UInt64] = []
        for turn in 1...100 {
            ids.append(try sink.submit(records(turn * 10..<turn * 10 + 10, size: 20, partitions: 1)))
            usleep(20_000)
        }
        for id in ids { #expect(try sink.completion(of: id, within: .seconds(20)).failures.isEmpty) }
        // Two seconds and more have passed; librdkafka left to itself needs most of them.
        #expect(Double(brokerThreadTicks() - start) / Double(sysconf(Int32(_SC_CLK_TCK))) < 0.7)
        try kafka.tell("rtt 1 0")
        let read = TopicReader.read(kafka.bootstrapServers, "orders", partitions: 1, count: 1010)
        #expect(read.compactMap { $0.value?.split(separator: " ").first.flatMap { Int($0) } } == Array(0..<1010))
    }

    @Test("Nothing goes behind a record that has failed for good, not even of the same submission")
    func nothingOvertakes() throws {
        let kafka = try EmbeddedKafka(topics: ["orders:1"])
        let sink = try sink(kafka)
        try sink.topic(1, "orders")
        _ = try sink.completion(of: try sink.submit(records(0..<1, size: 20, partitions: 1)))
        var list = records(1..<4, size: 20, partitions: 1)
        list[1].topic = 9
        let ids = [try sink.submit(list), try sink.submit(records(4..<5, size: 20, partitions: 1))]
        let failures = try ids.map { try sink.completion(of: $0).failures }
        #expect(failures[0].contains { $0.index == 1 && $0.cls == CDCP_FAIL_FATAL })
        #expect(failures[0].contains { $0.index == 2 } && failures[1].count == 1)
    }

    @Test("Submissions larger than a batch are cut where it is full, each partition in order; with a linger too", arguments: [[], [Option.Entry("linger.ms", 20)]])
    func cut(_ more: [Option.Entry]) throws {
        let kafka = try EmbeddedKafka(topics: ["orders:3"])
        let sink = try sink(kafka, more + [Option.Entry("batch.size", 100_000)])
        try sink.topic(1, "orders")
        let ids = try (0..<12).map { try sink.submit(records($0 * 500..<$0 * 500 + 500, size: 1000, partitions: 3)) }
        for id in ids { #expect(try sink.completion(of: id, within: .seconds(30)).failures.isEmpty) }
        let read = TopicReader.read(kafka.bootstrapServers, "orders", partitions: 3, count: 6000)
        for partition in 0..<3 {
            let numbers = read.filter { $0.partition == Int32(partition) }.compactMap { $0.value?.split(separator: " ").first.flatMap { Int($0) } }
            #expect(numbers == Array(stride(from: partition, to: 6000, by: 3)))
        }
    }
}
