#!/usr/bin/env python3
"""Takes the goldens that test_goldens.py compares with out of a corpus folder: refresh.py CORPUS

One record a line: topic, key, value and headers as Debezium sent them, with "<n>" where two runs differ. Schemas, Avro and the
four context headers stay behind."""

import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDENS = {
    "changes": ["default", "no-tombstones", "truncates", "no-updates"], "identity": ["default"], "toast": ["default"],
    "scalars": ["default", "binary-hex"], "numeric": ["default", "decimal-string", "decimal-double"], "numeric-special": ["decimal-string"],
    "temporal": ["default"], "arrays": ["default"], "custom": ["default"], "documents": ["default"], "network": ["default"],
    "schema-change": ["default"], "hostile-names": ["default"], "columns": ["default"], "partitioned": ["via-root"],
}


def main(corpus: str):
    sys.path.insert(0, corpus)
    import trim
    for topic, modes in GOLDENS.items():
        for part in ("setup", "changes"):
            shutil.copyfile(os.path.join(corpus, f"{topic}.{part}.sql"), os.path.join(HERE, f"{topic}.{part}.sql"))
        for mode in modes:
            with open(os.path.join(HERE, f"{topic}.{mode}.jsonl"), "w", encoding="utf-8") as out:
                for record in trim.expand(os.path.join(corpus, f"{topic}.{mode}")):
                    if "failure" in record:
                        continue
                    headers = {k: v for k, v in (record.get("headers") or {}).items() if not k.startswith("__debezium.context.")}
                    kept = {name: record.get(name) for name in ("topic", "key", "value")}
                    out.write(trim.text({**kept, **({"headers": headers} if headers else {})}) + "\n")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
