/// Prometheus' text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
public enum PrometheusText {
    /// The content type of a scrape.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Every series of the registry. Callbacks run on the calling thread.
    public static func render(_ registry: MetricsRegistry) -> String {
        var text = ""
        for (description, series) in registry.snapshot() {
            var samples = ""
            for one in series {
                append(one, of: description, stream: registry.stream, to: &samples)
            }
            // One that is only declared has its head alone; one whose callbacks have nothing to say is left out.
            guard !samples.isEmpty || series.isEmpty else { continue }
            text += "# HELP \(description.name) \(escapedHelp(description.help))\n"
            text += "# TYPE \(description.name) \(description.kind.rawValue)\n"
            text += samples
        }
        return text
    }

    private static func append(
        _ series: MetricsRegistry.Series, of description: MetricDescription, stream: String, to text: inout String
    ) {
        let labels = labelPairs(description.labels, series.labels, stream: stream)
        let name = description.name
        switch series.instrument {
        case .counter(let counter): text += "\(name){\(labels)} \(counter.value)\n"
        case .time(let time): text += "\(name){\(labels)} \(seconds(time.nanoseconds))\n"
        case .gauge(let gauge): text += "\(name){\(labels)} \(gauge.value)\n"
        case .real(let gauge): text += "\(name){\(labels)} \(number(gauge.value))\n"
        case .callback(let value):
            switch value() {
            case .whole(let whole): text += "\(name){\(labels)} \(whole)\n"
            case .signed(let signed): text += "\(name){\(labels)} \(signed)\n"
            case .real(let real): text += "\(name){\(labels)} \(number(real))\n"
            case nil: break
            }
        case .histogram(let histogram):
            let cumulative = histogram.cumulative
            for (bound, count) in zip(histogram.bounds + [.infinity], cumulative) {
                text += "\(name)_bucket{\(labels),le=\"\(number(bound))\"} \(count)\n"
            }
            text += "\(name)_sum{\(labels)} \(seconds(histogram.sumNanoseconds))\n"
            text += "\(name)_count{\(labels)} \(cumulative.last ?? 0)\n"
        }
    }

    private static func labelPairs(_ names: [String], _ values: [String], stream: String) -> String {
        var pairs = "stream=\"\(escapedLabel(stream))\""
        for (name, value) in zip(names, values) {
            pairs += ",\(name)=\"\(escapedLabel(value))\""
        }
        return pairs
    }

    static func escapedLabel(_ value: String) -> String { escaped(value, quote: true) }
    static func escapedHelp(_ value: String) -> String { escaped(value, quote: false) }

    /// By Unicode scalar: a Character may hold a line feed inside (CR LF is one).
    private static func escaped(_ value: String, quote: Bool) -> String {
        var text = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": text.append(contentsOf: "\\n".unicodeScalars)
            case "\"" where quote: text.append(contentsOf: "\\\"".unicodeScalars)
            default: text.append(scalar)
            }
        }
        return String(text)
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value == .infinity { return "+Inf" }
        if value == -.infinity { return "-Inf" }
        // 1.0 is written 1, as every other exporter does.
        if let whole = Int64(exactly: value), abs(value) < 1e15 { return String(whole) }
        return value.description
    }

    private static func seconds(_ nanoseconds: UInt64) -> String { number(Double(nanoseconds) / 1e9) }
}
