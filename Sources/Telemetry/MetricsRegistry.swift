import Synchronization

/// All series of one stream, and their text.
///
/// Series are looked up or made when something is bound (a table, a topic, a stage); the data path holds the returned objects and never
/// comes here. Any thread.
public final class MetricsRegistry: Sendable {
    /// Series a metric may have; further ones are counted together under the label value `_other`, so that nothing from outside can grow this.
    public static let seriesMax = 10_000
    /// The label value of series beyond `seriesMax`.
    public static let otherLabel = "_other"

    enum Instrument: Sendable {
        case counter(Counter)
        case time(TimeCounter)
        case gauge(Gauge)
        case real(RealGauge)
        case histogram(Histogram)
        case callback(@Sendable () -> MetricValue?)
    }

    struct Series: Sendable {
        var labels: [String]
        var instrument: Instrument
    }

    struct Family: Sendable {
        var description: MetricDescription
        var series: [[String]: Instrument] = [:]
    }

    /// The value of the label `stream`.
    public let stream: String
    private let families = Mutex<[String: Family]>([:])

    /// An empty registry for the stream `stream`.
    public init(stream: String) {
        self.stream = stream
    }

    /// The counter with these label values, made at the first call.
    public func counter(_ metric: MetricDescription, _ labels: String...) -> Counter {
        let made = find(metric, labels) { .counter(Counter()) }
        guard case .counter(let counter) = made else { return Counter() }
        return counter
    }

    /// The time counter with these label values, made at the first call.
    public func time(_ metric: MetricDescription, _ labels: String...) -> TimeCounter {
        let made = find(metric, labels) { .time(TimeCounter()) }
        guard case .time(let time) = made else { return TimeCounter() }
        return time
    }

    /// The gauge with these label values, made at the first call.
    public func gauge(_ metric: MetricDescription, _ labels: String...) -> Gauge {
        let made = find(metric, labels) { .gauge(Gauge()) }
        guard case .gauge(let gauge) = made else { return Gauge() }
        return gauge
    }

    /// The gauge for fractions and times with these label values, made at the first call.
    public func realGauge(_ metric: MetricDescription, _ labels: String...) -> RealGauge {
        let made = find(metric, labels) { .real(RealGauge()) }
        guard case .real(let gauge) = made else { return RealGauge() }
        return gauge
    }

    /// The histogram with these label values, made at the first call with these bounds (seconds).
    public func histogram(_ metric: MetricDescription, bounds: [Double], _ labels: String...) -> Histogram {
        let made = find(metric, labels) { .histogram(Histogram(bounds: bounds)) }
        guard case .histogram(let histogram) = made else { return Histogram(bounds: bounds) }
        return histogram
    }

    /// A series whose value is asked for at each scrape, on the scraping thread; nil leaves it out. Replaces an earlier one.
    public func callback(_ metric: MetricDescription, _ labels: String..., value: @escaping @Sendable () -> MetricValue?) {
        families.withLock { $0[metric.name, default: Family(description: metric)].series[labels] = .callback(value) }
    }

    /// Makes metrics known before they have a series: whoever writes a rule or a panel finds name and help at the first scrape.
    public func declare(_ metrics: [MetricDescription]) {
        families.withLock { families in
            for metric in metrics where families[metric.name] == nil { families[metric.name] = Family(description: metric) }
        }
    }

    /// Takes all series of a metric away, such as the stages of the last plan.
    public func removeAll(_ metric: MetricDescription) {
        families.withLock { $0[metric.name] = nil }
    }

    /// Sets the metric's series to exactly these, in one step for scrapes: `…_info` metrics, and one state out of several.
    public func replace(_ metric: MetricDescription, _ rows: [(labels: [String], value: UInt64)]) {
        var family = Family(description: metric)
        for row in rows.prefix(Self.seriesMax) {
            let gauge = Gauge()
            gauge.set(row.value)
            family.series[row.labels] = .gauge(gauge)
        }
        families.withLock { [family] in $0[metric.name] = family }
    }

    /// Families by name, series by label values. The order is the same from scrape to scrape.
    func snapshot() -> [(description: MetricDescription, series: [Series])] {
        families.withLock { Array($0.values) }
            .sorted { $0.description.name < $1.description.name }
            .map { family in
                let series = family.series.map { Series(labels: $0.key, instrument: $0.value) }
                return (family.description, series.sorted { $0.labels.lexicographicallyPrecedes($1.labels) })
            }
    }

    private func find(_ metric: MetricDescription, _ labels: [String], make: () -> Instrument) -> Instrument {
        precondition(labels.count == metric.labels.count, "\(metric.name) takes the labels \(metric.labels)")
        return families.withLock { families in
            var key = labels
            if let family = families[metric.name], family.series[key] == nil, family.series.count >= Self.seriesMax {
                key = labels.map { _ in Self.otherLabel }
            }
            if let known = families[metric.name]?.series[key] { return known }
            let made = make()
            families[metric.name, default: Family(description: metric)].series[key] = made
            return made
        }
    }
}
