// From an index of a backup to the parameters that create it anew. Logic without I/O.

import BackupFormat
import MilvusClient

/// What CreateIndex is given.
struct IndexRecipe: Sendable, Hashable {
  /// Name of the index; empty lets Milvus choose one.
  var name: String
  /// All parameters.
  var params: [MilvusKeyValue]

  /// The recipe of an index.
  init(_ index: IndexInfo, isVector: Bool, useAutoIndex: Bool) {
    name = index.indexName
    var params = index.params.map { MilvusKeyValue(key: $0.key, value: $0.value) }
    if params.value(forKey: "index_type") == nil, !index.indexType.isEmpty {
      params.insert(MilvusKeyValue(key: "index_type", value: index.indexType), at: 0)
    }
    if isVector, useAutoIndex {
      let metric = params.value(forKey: "metric_type")
      params = [MilvusKeyValue(key: "index_type", value: "AUTOINDEX")]
      if let metric { params.append(MilvusKeyValue(key: "metric_type", value: metric)) }
    }
    // Milvus describes a text index by the name of its library, and does not take that name when one is created.
    for position in params.indices where params[position].key == "index_type" {
      if params[position].value == "marisa-trie" { params[position].value = "Trie" }
    }
    self.params = params
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
      default: false
      }
    }
    // Milvus names scalar indexes of JSON paths in ways that it refuses to be told.
    if !isVector, !isPlain { name = "" }
  }
}
