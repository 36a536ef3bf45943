import LibRDKafka
import PluginABI
import PluginKit

/// Sends records to Kafka. Every record has its partition from the partitioner stage; its bytes are never copied, the host keeps them until
/// the delivery report.
final class KafkaSink: SinkStage, TopicLooking {
    private var configuration: ClientConfiguration?
    private var settings: TopicSettings?
    private var producer: Producer?
    private var topics: TopicCatalog?
    private var watch: BrokerWatch?
    private var inspection: TopicInspection?

    override func configure(_ options: Options) throws(StageError) {
        let configuration = try ClientConfiguration(options.map("kafka"), insecure: options.bool("insecure") ?? false)
        for line in configuration.shortcomings { host.log(.warning, line) }
        self.configuration = configuration
        settings = try TopicSettings(options.map("topics"))
    }

    override func activate(lane: UInt32, maxRows: UInt32) throws(StageError) {
        guard let configuration, let settings else { throw .fatal("the stage has not been configured") }
        let producer = try Producer(configuration, host: host)
        let topics = try TopicCatalog(producer, settings, configuration)
        let watch = BrokerWatch(producer, topics)
        self.producer = producer
        self.topics = topics
        self.watch = watch
        let flight = Flight(batchBytesMax: configuration.batchBytesMax, batchRecordsMax: configuration.batchRecordsMax)
        try producer.start(Departures(RecordSender(producer, topics), flight))
        try watch.start()
    }

    override func topic(_ number: UInt32, name: String) throws(StageError) -> Int32 {
        guard let topics else { throw .fatal("the stage is not active") }
        return try topics.find(number, name)
    }

    func look(forTopic name: String) throws(StageError) -> Int32? {
        guard let producer, let settings else { throw .fatal("the stage is not active") }
        let inspection = self.inspection ?? TopicInspection(producer, settings)
        self.inspection = inspection
        return try inspection.look(name)
    }

    override func submit(_ submission: UnsafePointer<cdcp_submission>) -> cdcp_status {
        producer?.submit(submission) ?? CDCP_E_FATAL
    }

    override func flush(timeoutNanoseconds: UInt64) -> cdcp_status {
        producer?.flush(timeoutNanoseconds: timeoutNanoseconds) ?? CDCP_OK
    }

    /// What is not delivered in time is completed as retryable.
    override func deactivate(timeoutNanoseconds: UInt64) throws(StageError) { close(timeoutNanoseconds) }

    deinit { close(0) }

    private func close(_ timeoutNanoseconds: UInt64) {
        guard let producer else { return }
        watch?.stop()
        producer.drain(timeoutNanoseconds: timeoutNanoseconds)
        topics?.close()
        producer.destroy()
        inspection = nil
        watch = nil
        topics = nil
        self.producer = nil
    }
}
