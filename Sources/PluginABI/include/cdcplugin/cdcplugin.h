/* The whole contract. Small on purpose: read the headers in this order. */
#ifndef CDCPLUGIN_H
#define CDCPLUGIN_H
#include <cdcplugin/abi.h>
#include <cdcplugin/cell.h>
#include <cdcplugin/arena.h>
#include <cdcplugin/relation.h>
#include <cdcplugin/transaction.h>
#include <cdcplugin/row.h>
#include <cdcplugin/batch.h>
#include <cdcplugin/emitter.h>
#include <cdcplugin/record.h>
#include <cdcplugin/builder.h>
#include <cdcplugin/host.h>
#include <cdcplugin/lifecycle.h>
#include <cdcplugin/decoder.h>
#include <cdcplugin/transform.h>
#include <cdcplugin/codec.h>
#include <cdcplugin/partitioner.h>
#include <cdcplugin/sink.h>
#include <cdcplugin/library.h>
#include <cdcplugin/ext/state.h>
#include <cdcplugin/ext/topic_look.h>
#endif
