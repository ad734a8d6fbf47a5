// A collection's schema between Milvus' words and the backup format's.
//
// Invariants: ids, types and parameters pass unchanged in both directions; the hidden dynamic field is in neither: its
// existence is the flag `enable_dynamic_field`.

import BackupFormat
import FoundationEssentials
import MilvusClient

extension CollectionSchema {
  /// The schema as a backup stores it.
  /// - Parameter properties: all properties of the collection, wherever the server tells them.
  init(_ schema: MilvusCollectionSchema, properties: [MilvusKeyValue]) {
    self = .with {
      $0.name = schema.name
      $0.description = schema.description
      $0.autoID = schema.autoID
      $0.fields = schema.fields.filter { !$0.isDynamic }.sorted { $0.fieldID < $1.fieldID }.map(FieldSchema.init)
      $0.enableDynamicField = schema.enableDynamicField
      $0.properties = properties.map(KeyValuePair.init)
      $0.functions = schema.functions.map(FunctionSchema.init)
      $0.structArrayFields = schema.structArrayFields.map(StructArrayFieldSchema.init)
    }
  }
}

extension MilvusCollectionSchema {
  /// The schema to create a collection with, under another name.
  init(_ schema: CollectionSchema, name: String) {
    self.init(
      name: name, description: schema.description, autoID: schema.autoID,
      fields: schema.fields.filter { !$0.isDynamic }.sorted { $0.fieldID < $1.fieldID }.map(MilvusFieldSchema.init),
      enableDynamicField: schema.enableDynamicField, properties: schema.properties.map(MilvusKeyValue.init),
      functions: schema.functions.map(MilvusFunctionSchema.init),
      structArrayFields: schema.structArrayFields.map(MilvusStructArrayFieldSchema.init))
  }
}

extension FieldSchema {
  init(_ field: MilvusFieldSchema) {
    self = .with {
      $0.fieldID = field.fieldID
      $0.name = field.name
      $0.isPrimaryKey = field.isPrimaryKey
      $0.description = field.description
      $0.dataType = DataType(rawValue: field.dataType.rawValue)
      $0.typeParams = field.typeParams.map(KeyValuePair.init)
      $0.indexParams = field.indexParams.map(KeyValuePair.init)
      $0.autoID = field.autoID
      $0.state = FieldState(rawValue: field.state)
      $0.elementType = DataType(rawValue: field.elementType.rawValue)
      $0.isPartitionKey = field.isPartitionKey
      $0.nullable = field.nullable
      $0.isFunctionOutput = field.isFunctionOutput
      if let value = field.defaultValue {
        $0.defaultValueBase64 = Data(value).base64EncodedString()
        // Read by versions up to 0.5.4 only; bytes that are not text cannot be told this way.
        $0.defaultValueProto = String(validating: value, as: UTF8.self) ?? ""
      }
    }
  }
}

extension MilvusFieldSchema {
  init(_ field: FieldSchema) {
    let encoded = field.defaultValueBase64
    let decoded = encoded.isEmpty ? nil : Data(base64Encoded: encoded).map { [UInt8]($0) }
    let legacy = field.defaultValueProto.isEmpty ? nil : Array(field.defaultValueProto.utf8)
    self.init(
      fieldID: field.fieldID, name: field.name, isPrimaryKey: field.isPrimaryKey, description: field.description,
      dataType: MilvusDataType(rawValue: field.dataType.rawValue),
      typeParams: field.typeParams.map(MilvusKeyValue.init),
      indexParams: field.indexParams.map(MilvusKeyValue.init), autoID: field.autoID, state: field.state.rawValue,
      elementType: MilvusDataType(rawValue: field.elementType.rawValue), defaultValue: decoded ?? legacy,
      isPartitionKey: field.isPartitionKey, nullable: field.nullable, isFunctionOutput: field.isFunctionOutput)
  }
}

extension FunctionSchema {
  init(_ function: MilvusFunctionSchema) {
    self = .with {
      $0.name = function.name
      $0.id = function.id
      $0.description = function.description
      $0.type = FunctionType(rawValue: function.type)
      $0.inputFieldNames = function.inputFieldNames
      $0.inputFieldIDs = function.inputFieldIDs
      $0.outputFieldNames = function.outputFieldNames
      $0.outputFieldIDs = function.outputFieldIDs
      $0.params = function.params.map(KeyValuePair.init)
    }
  }
}

extension MilvusFunctionSchema {
  init(_ function: FunctionSchema) {
    self.init(
      name: function.name, id: function.id, description: function.description, type: function.type.rawValue,
      inputFieldNames: function.inputFieldNames, inputFieldIDs: function.inputFieldIDs,
      outputFieldNames: function.outputFieldNames, outputFieldIDs: function.outputFieldIDs,
      params: function.params.map(MilvusKeyValue.init))
  }
}

extension StructArrayFieldSchema {
  init(_ field: MilvusStructArrayFieldSchema) {
    self = .with {
      $0.fieldID = field.fieldID
      $0.name = field.name
      $0.description = field.description
      $0.fields = field.fields.map(FieldSchema.init)
    }
  }
}

extension MilvusStructArrayFieldSchema {
  init(_ field: StructArrayFieldSchema) {
    self.init(
      fieldID: field.fieldID, name: field.name, description: field.description,
      fields: field.fields.map(MilvusFieldSchema.init))
  }
}

extension KeyValuePair {
  init(_ pair: MilvusKeyValue) { self.init(key: pair.key, value: pair.value) }
}

extension MilvusKeyValue {
  init(_ pair: KeyValuePair) { self.init(key: pair.key, value: pair.value) }
}

extension Array where Element == MilvusKeyValue {
  /// These pairs and those of the other list whose keys are not among them.
  func union(_ others: [MilvusKeyValue]) -> [MilvusKeyValue] {
    self + others.filter { value(forKey: $0.key) == nil }
  }
}
