import Glibc
import PluginABI

// From the C tables to the methods of `Stage`. One unmanaged look-up and one virtual call each; nothing here runs per row.

private func stage(_ pointer: UnsafeMutableRawPointer?) -> Stage? {
    pointer.map { Unmanaged<Stage>.fromOpaque($0).takeUnretainedValue() }
}

private func report(_ stage: Stage, _ error: StageError) -> cdcp_status {
    stage.host.setError(error.message)
    return error.status
}

func lifecycle() -> UnsafePointer<cdcp_lifecycle> {
    let table = UnsafeMutablePointer<cdcp_lifecycle>.allocate(capacity: 1)
    table.initialize(
        to: cdcp_lifecycle(
            struct_size: UInt32(MemoryLayout<cdcp_lifecycle>.size), reserved: 0,
            create: { host, descriptor, out in
                guard let host, let out, let type = Registry.types.first(where: { $0.0 == descriptor })?.1 else { return CDCP_E_UNSUPPORTED }
                out.pointee = Unmanaged.passRetained(type.init(host: PluginHost(host))).toOpaque()
                return CDCP_OK
            },
            configure: { instance, config in
                guard let stage = stage(instance), let config else { return CDCP_E_FATAL }
                do throws(StageError) {
                    try stage.configure(Options(config, stage.host.pointer))
                    return CDCP_OK
                } catch { return report(stage, error) }
            },
            activate: { instance, lane, maxRows in
                guard let stage = stage(instance) else { return CDCP_E_FATAL }
                do throws(StageError) {
                    try stage.activate(lane: lane, maxRows: maxRows)
                    return CDCP_OK
                } catch { return report(stage, error) }
            },
            bind_relation: { instance, relation, out, plan in
                guard let stage = stage(instance), let relation else { return CDCP_E_FATAL }
                do throws(StageError) {
                    let binding = try stage.bind(relation)
                    out?.pointee = binding.output
                    plan?.pointee = binding.plan
                    return CDCP_OK
                } catch { return report(stage, error) }
            },
            unbind_relation: { instance, plan in stage(instance)?.unbind(plan) },
            bindings_complete: { instance in
                guard let stage = stage(instance) else { return CDCP_E_FATAL }
                do throws(StageError) {
                    try stage.bindingsComplete()
                    return CDCP_OK
                } catch { return report(stage, error) }
            },
            deactivate: { instance, timeout in
                guard let stage = stage(instance) else { return CDCP_E_FATAL }
                do throws(StageError) {
                    try stage.deactivate(timeoutNanoseconds: timeout)
                    return CDCP_OK
                } catch { return report(stage, error) }
            },
            destroy: { instance in
                if let instance { Unmanaged<Stage>.fromOpaque(instance).release() }
            },
            get_extension: { instance, id in
                guard let id, strcmp(id, CDCP_EXT_TOPIC_LOOK) == 0, stage(instance) is any TopicLooking else { return nil }
                return topicLook
            }))
    return UnsafePointer(table)
}

nonisolated(unsafe) private let topicLook: UnsafeRawPointer =
    // SAFETY: written once, before anybody can have it.
    allocate(
        cdcp_ext_topic_look(
            struct_size: UInt32(MemoryLayout<cdcp_ext_topic_look>.size), reserved: 0,
            look: { instance, name, partitions in
                guard let stage = stage(instance), let sink = stage as? any TopicLooking, let partitions else { return CDCP_E_FATAL }
                do throws(StageError) {
                    partitions.pointee = try sink.look(forTopic: String(name)) ?? -1
                    return CDCP_OK
                } catch { return report(stage, error) }
            }))

func operations(_ declaration: StageDeclaration) -> UnsafeRawPointer {
    switch Int32(declaration.role) {
    case CDCP_ROLE_DECODER:
        return allocate(
            cdcp_decoder_ops(
                struct_size: UInt32(MemoryLayout<cdcp_decoder_ops>.size), reserved: 0,
                start_options: { instance, version, out, count in
                    guard let stage = stage(instance) as? DecoderStage, let out, let count else { return CDCP_E_FATAL }
                    do throws(StageError) {
                        let options = try stage.startOptions(serverVersion: version)
                        // Asked for once a connection: what the last answer held is left to the instance's end.
                        let array = UnsafeMutablePointer<cdcp_start_option>.allocate(capacity: max(options.count, 1))
                        for (index, option) in options.enumerated() {
                            array.advanced(by: index).initialize(to: cdcp_start_option(name: permanent(option.name), value: permanent(option.value)))
                        }
                        out.pointee = UnsafePointer(array)
                        count.pointee = UInt32(options.count)
                        return CDCP_OK
                    } catch { return report(stage, error) }
                },
                decode: { instance, message, length, walStart, ops, builder in
                    guard let instance, let ops, let builder else { return CDCP_E_FATAL }
                    // The one call per message: no retain, no cast.
                    return Unmanaged<Stage>.fromOpaque(instance)._withUnsafeGuaranteedRef {
                        unsafeDowncast($0, to: DecoderStage.self)
                            .decode(UnsafeRawBufferPointer(start: message, count: Int(length)), walStart: walStart, ops, builder)
                    }
                },
                output_plugin: UnsafeRawPointer(declaration.outputPlugin.utf8Start).assumingMemoryBound(to: CChar.self)))
    case CDCP_ROLE_TRANSFORM:
        return allocate(
            cdcp_transform_ops(
                struct_size: UInt32(MemoryLayout<cdcp_transform_ops>.size), reserved: 0,
                process: { instance, batch in
                    guard let stage = stage(instance) as? TransformStage, let batch else { return CDCP_E_FATAL }
                    return stage.process(batch)
                }))
    case CDCP_ROLE_CODEC:
        return allocate(
            cdcp_codec_ops(
                struct_size: UInt32(MemoryLayout<cdcp_codec_ops>.size), reserved: 0,
                encode: { instance, batch, emitter in
                    guard let stage = stage(instance) as? CodecStage, let batch, let emitter else { return CDCP_E_FATAL }
                    return stage.encode(batch, emitter)
                }))
    case CDCP_ROLE_PARTITIONER:
        return allocate(
            cdcp_partitioner_ops(
                struct_size: UInt32(MemoryLayout<cdcp_partitioner_ops>.size), reserved: 0,
                assign: { instance, batch, records, count, stride, topics, topicCount in
                    guard let stage = stage(instance) as? PartitionerStage, let batch, let records, let topics else { return CDCP_E_FATAL }
                    return stage.assign(batch, records: records, count: count, stride: stride, topics: topics, topicCount: topicCount)
                }))
    default:
        return allocate(
            cdcp_sink_ops(
                struct_size: UInt32(MemoryLayout<cdcp_sink_ops>.size), reserved: 0,
                topic: { instance, number, name, partitions in
                    guard let stage = stage(instance) as? SinkStage, let partitions else { return CDCP_E_FATAL }
                    do throws(StageError) {
                        partitions.pointee = try stage.topic(number, name: String(name))
                        return CDCP_OK
                    } catch { return report(stage, error) }
                },
                submit: { instance, submission in
                    guard let stage = stage(instance) as? SinkStage, let submission else { return CDCP_E_FATAL }
                    return stage.submit(submission)
                },
                flush: { instance, timeout in
                    guard let stage = stage(instance) as? SinkStage else { return CDCP_E_FATAL }
                    return stage.flush(timeoutNanoseconds: timeout)
                }))
    }
}

private func allocate<T>(_ value: T) -> UnsafeRawPointer {
    let pointer = UnsafeMutablePointer<T>.allocate(capacity: 1)
    pointer.initialize(to: value)
    return UnsafeRawPointer(pointer)
}

private func permanent(_ value: String) -> cdcp_str {
    var value = value
    return value.withUTF8 { bytes in
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: max(bytes.count, 1))
        for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
        return cdcp_str(ptr: copy, len: UInt32(bytes.count), reserved: 0)
    }
}
