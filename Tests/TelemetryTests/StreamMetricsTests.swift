import Telemetry
import Testing

@Suite struct StreamMetricsTests {
    @Test func concurrentAdditionsAreAllCounted() async {
        let metrics = StreamMetrics(stream: "s", version: "1")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    // Each task binds the table itself: the counters must be the same ones.
                    let rows = metrics.rows(table: "public.t")
                    for _ in 0..<10_000 {
                        rows[.update].add()
                        metrics.receivedBytes.add(7)
                    }
                }
                group.addTask { for _ in 0..<20 { _ = PrometheusText.render(metrics.registry) } }
            }
        }
        #expect(metrics.rows(table: "public.t")[.update].value == 80_000)
        #expect(metrics.receivedBytes.value == 560_000)
    }

    @Test func everyOpHasItsOwnSeries() {
        let metrics = StreamMetrics(stream: "s", version: "1")
        let rows = metrics.rows(table: "public.t")
        for (index, op) in RowOp.allCases.enumerated() { rows[op].add(UInt64(index + 1)) }
        let text = PrometheusText.render(metrics.registry)
        for (index, op) in RowOp.allCases.enumerated() {
            #expect(text.contains("cdc_rows_total{stream=\"s\",table=\"public.t\",op=\"\(op.rawValue)\"} \(index + 1)\n"))
        }
    }

    @Test func oneSlotStateIsOne() {
        let metrics = StreamMetrics(stream: "s", version: "1")
        metrics.setSlotState("unheard_of")
        metrics.setSlotState("extended")
        let lines = PrometheusText.render(metrics.registry).split(separator: "\n").filter { $0.hasPrefix("cdc_slot_state") }
        #expect(lines.count == StreamMetrics.slotStates.count)
        #expect(lines.filter { $0.hasSuffix(" 1") } == [#"cdc_slot_state{stream="s",state="extended"} 1"#])
    }

    @Test func pluginsOfTheLastPlanVanish() {
        let metrics = StreamMetrics(stream: "s", version: "0.1.0")
        metrics.setPlugins([PluginInfo(stage: "30-masking", plugin: "cdc.masking", version: "1", sha256: "aa", generation: 1)])
        metrics.setPlugins([PluginInfo(stage: "30-masking", plugin: "cdc.masking", version: "2", sha256: "bb", generation: 2)])
        let text = PrometheusText.render(metrics.registry)
        let expected =
            #"cdc_plugin_info{stream="s",stage="30-masking",plugin="cdc.masking",version="2",sha256="bb",generation="2"} 1"#
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("cdc_plugin_info") } == [Substring(expected)])
        #expect(text.contains(#"cdc_build_info{stream="s",version="0.1.0"} 1"#))
    }

    @Test func processSeriesSayWhatTheSystemSays() throws {
        let registry = MetricsRegistry(stream: "s")
        ProcessMetrics.register(in: registry)
        let text = PrometheusText.render(registry)
        func value(_ name: String) throws -> Double {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + "{") })
            return try #require(Double(line.split(separator: " ").last ?? ""))
        }
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect(try value("process_cpu_seconds_total") >= 0)
        #expect(try value("process_start_time_seconds") > 1_600_000_000)
        #expect(try value("process_open_fds") >= 3)
        #expect(try value("process_threads") >= 1)
    }

    @Test func processSeriesAreAbsentWithoutProcfs() {
        let registry = MetricsRegistry(stream: "s")
        ProcessMetrics.register(in: registry, procfs: "/nowhere")
        #expect(PrometheusText.render(registry).isEmpty)
    }
}
