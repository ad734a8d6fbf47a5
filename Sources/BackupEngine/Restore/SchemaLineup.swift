// Whether the fields of a collection have, or will get, the ids that the backup's logs are filed under. Logic without
// I/O.
//
// Milvus matches logs to fields by id alone, and gives the fields of a new collection the ids 100, 101, … in the order of
// its schema, the hidden dynamic field last. A backup can be restored only where that comes to the same ids.

import BackupFormat
import MilvusClient

/// Compares the fields of a backup with those of a collection.
enum SchemaLineup {
  /// Id of the first user field.
  static let firstFieldID: Int64 = 100

  /// The schema to create a collection with, and the fields to add to it afterwards.
  ///
  /// Fields that were added to a collection with a dynamic field got ids behind the dynamic field's, which is the first that
  /// no other field has. They must be added again for their ids to come out the same (milvus-backup, restore).
  static func parts(of schema: CollectionSchema) -> (first: CollectionSchema, later: [FieldSchema]) {
    let fields = schema.fields.filter { !$0.isDynamic }.sorted { $0.fieldID < $1.fieldID }
    guard schema.enableDynamicField, schema.structArrayFields.isEmpty else { return (schema, []) }
    let dynamic = fields.enumerated().first { $0.element.fieldID != firstFieldID + Int64($0.offset) }
    guard let gap = dynamic?.offset else { return (schema, []) }
    var first = schema
    first.fields = Array(fields[..<gap])
    return (first, Array(fields[gap...]))
  }

  /// Why a new collection's fields would get other ids than those of the backup; nil if they get the same.
  /// - Parameter canAdd: whether the server can add fields to a collection.
  static func problem(creating schema: CollectionSchema, canAdd: Bool) -> String? {
    // Members of struct arrays are numbered among the others by newer servers: looked at after creation.
    guard schema.structArrayFields.isEmpty else { return nil }
    let fields = schema.fields.filter { !$0.isDynamic }
    guard !fields.isEmpty else { return "the backup's schema has no fields" }
    let (first, later) = canAdd ? parts(of: schema) : (schema, [])
    let created = first.fields.filter { !$0.isDynamic }.map(\.fieldID).sorted()
    let wanted = created + later.map(\.fieldID)
    let given =
      created.indices.map { firstFieldID + Int64($0) }
      + later.indices.map { firstFieldID + Int64(created.count + 1 + $0) }
    guard wanted != given else { return nil }
    return """
      its fields have the ids \(fields.map(\.fieldID).sorted().map(String.init).joined(separator: ", ")), but Milvus \
      numbers the fields of a new collection \(firstFieldID), \(firstFieldID + 1), … without gaps, so that the data would \
      end up in other fields
      """
  }

  /// Why a segment's logs do not fit the fields, on servers which demand logs of exactly the fields there are (Milvus up
  /// to 2.3); nil if they do.
  static func problem(of segment: SegmentBackupInfo, with schema: CollectionSchema) -> String? {
    let present = Set(segment.binlogs.filter { !$0.binlogs.isEmpty }.map(\.fieldID))
    guard segment.storageVersion <= 1, !present.isEmpty else { return nil }
    var wanted = Set(schema.fields.filter { !$0.isDynamic }.map(\.fieldID)).union([0, 1])
    if schema.enableDynamicField { wanted.insert((wanted.max() ?? firstFieldID) + 1) }
    let missing = wanted.subtracting(present).sorted()
    let surplus = present.subtracting(wanted).sorted()
    guard !missing.isEmpty || !surplus.isEmpty else { return nil }
    var clauses: [String] = []
    if !missing.isEmpty { clauses.append("has no logs of field \(missing.listed())") }
    if !surplus.isEmpty { clauses.append("has logs of field \(surplus.listed()), which the schema does not have") }
    return "segment \(segment.segmentID) " + clauses.joined(separator: " and ")
  }

  /// How an existing collection differs from the backup's schema in what decides where data ends up; nil if it does not.
  static func difference(between schema: CollectionSchema, and existing: MilvusCollectionSchema) -> String? {
    let wanted = MilvusCollectionSchema(schema, name: existing.name)
    if wanted.enableDynamicField != existing.enableDynamicField {
      return wanted.enableDynamicField
        ? "it has no dynamic field, but the backup has" : "it has a dynamic field, but the backup has not"
    }
    let members = { (schema: MilvusCollectionSchema) in
      (schema.fields + schema.structArrayFields.flatMap(\.fields)).filter { !$0.isDynamic }
    }
    var found = Dictionary(members(existing).map { ($0.name, $0) }) { first, _ in first }
    for field in members(wanted) {
      guard let other = found.removeValue(forKey: field.name) else { return "it has no field \(field.name)" }
      if let difference = difference(between: field, and: other) { return "its field \(field.name) \(difference)" }
    }
    return found.keys.min().map { "it has a field \($0), which the backup has not" }
  }

  private static func difference(between field: MilvusFieldSchema, and other: MilvusFieldSchema) -> String? {
    if field.fieldID != other.fieldID { return "has the id \(other.fieldID) instead of \(field.fieldID)" }
    if field.dataType != other.dataType || field.elementType != other.elementType {
      return "has the type \(other.typeWords) instead of \(field.typeWords)"
    }
    if field.isPrimaryKey != other.isPrimaryKey {
      return field.isPrimaryKey ? "is not the primary key" : "is the primary key"
    }
    if field.isPartitionKey != other.isPartitionKey {
      return field.isPartitionKey ? "is not the partition key" : "is the partition key"
    }
    let (dim, otherDim) = (field.typeParams.value(forKey: "dim"), other.typeParams.value(forKey: "dim"))
    return dim == otherDim ? nil : "has the dimension \(otherDim ?? "none") instead of \(dim ?? "none")"
  }
}

extension MilvusFieldSchema {
  fileprivate var typeWords: String {
    elementType == .none ? "\(dataType.rawValue)" : "\(dataType.rawValue) of \(elementType.rawValue)"
  }
}
