// Schemas against bytes that another implementation made: serialized by the protobuf classes of pymilvus 2.6.17.

import SwiftProtobuf
import Testing

@testable import MilvusClient

@Suite struct SchemaEncodingTests {
  /// Every field of every message of a schema, set.
  static let schema = MilvusCollectionSchema(
    name: "coll", description: "all kinds", autoID: true,
    fields: [
      MilvusFieldSchema(
        fieldID: 100, name: "id", isPrimaryKey: true, description: "key", dataType: .int64, autoID: true),
      MilvusFieldSchema(
        fieldID: 101, name: "name", dataType: .varChar, typeParams: [MilvusKeyValue(key: "max_length", value: "512")],
        defaultValue: [0x32, 0x01, 0x78], isPartitionKey: true, nullable: true),
      MilvusFieldSchema(
        fieldID: 102, name: "tags", dataType: .array, typeParams: [MilvusKeyValue(key: "max_capacity", value: "8")],
        elementType: .int64, isClusteringKey: true),
      MilvusFieldSchema(
        fieldID: 103, name: "vec", dataType: .floatVector, typeParams: [MilvusKeyValue(key: "dim", value: "4")],
        indexParams: [MilvusKeyValue(key: "metric_type", value: "L2")]),
      MilvusFieldSchema(fieldID: 104, name: "sparse", dataType: .sparseFloatVector, state: 1, isFunctionOutput: true),
      MilvusFieldSchema(fieldID: 105, name: "$meta", dataType: .json, defaultValue: [], isDynamic: true),
    ],
    enableDynamicField: true, properties: [MilvusKeyValue(key: "timezone", value: "UTC")],
    functions: [
      MilvusFunctionSchema(
        name: "bm25", id: 7, description: "d", type: 1, inputFieldNames: ["name"], inputFieldIDs: [101],
        outputFieldNames: ["sparse"], outputFieldIDs: [104], params: [MilvusKeyValue(key: "k", value: "v")])
    ],
    structArrayFields: [
      MilvusStructArrayFieldSchema(
        fieldID: 106, name: "st", description: "sd",
        fields: [MilvusFieldSchema(fieldID: 107, name: "sub", dataType: .arrayOfVector, elementType: .floatVector)],
        typeParams: [MilvusKeyValue(key: "max_capacity", value: "3")])
    ])

  static let bytes = """
    0a04636f6c6c1209616c6c206b696e647318012211086412026964180122036b6579280540012226086512046e616d65281532110a0a6d6178\
    5f6c656e67746812033531325a033201786801780122210866120474616773281632110a0c6d61785f63617061636974791201385005700122\
    2608671203766563286532080a0364696d1201343a110a0b6d65747269635f7479706512024c322211086812067370617273652868480180\
    0101220f08691205246d65746128175a0060012801320f0a0874696d657a6f6e6512035554433a290a04626d323510071a016420012a046e61\
    6d653201653a067370617273654201684a060a016b1201764a2a086a120273741a027364220b086b1203737562286a50652a110a0c6d61785f\
    6361706163697479120133
    """

  @Test func `schema has the bytes of another implementation`() throws {
    #expect(try Self.schema.serialized().hex == Self.bytes)
  }

  @Test func `schema comes back from those bytes, presence of empty defaults included`() throws {
    let decoded = MilvusCollectionSchema(try ProtoCollectionSchema(serializedBytes: [UInt8](hex: Self.bytes)))
    #expect(decoded == Self.schema)
    #expect(decoded.fields[5].defaultValue == [])
    #expect(decoded.fields[0].defaultValue == nil)
  }

  @Test func `unknown numbers pass through`() throws {
    let field = MilvusFieldSchema(
      fieldID: 100, name: "f", dataType: MilvusDataType(rawValue: 4242), state: 77,
      elementType: MilvusDataType(rawValue: 999))
    #expect(MilvusFieldSchema(try ProtoFieldSchema(serializedBytes: field.serialized())) == field)
  }

  @Test func `vector types are those an index of vectors can be on`() {
    #expect([100, 101, 102, 103, 104, 105, 106].allSatisfy { MilvusDataType(rawValue: $0).isVector })
    #expect([0, 5, 21, 23, 99, 107, 200, 201].allSatisfy { !MilvusDataType(rawValue: $0).isVector })
  }
}
