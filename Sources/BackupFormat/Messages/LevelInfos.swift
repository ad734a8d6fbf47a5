// The roots of the levelled files: a list under the key `infos`, left out when empty.

/// Root of collection_meta.json, partition_meta.json and segment_meta.json.
struct LevelInfos<Info: FieldVisitable>: FieldVisitable {
  var infos: [Info] = []

  mutating func visitFields<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.field("infos", &infos)
  }
}
