// Between schemas and their protobuf messages.

internal import FoundationEssentials
internal import SwiftProtobuf

extension MilvusCollectionSchema {
  init(_ schema: ProtoCollectionSchema) {
    self.init(
      name: schema.name, description: schema.description_p, autoID: schema.autoID,
      fields: schema.fields.map(MilvusFieldSchema.init), enableDynamicField: schema.enableDynamicField,
      properties: schema.properties.map(MilvusKeyValue.init),
      functions: schema.functions.map(MilvusFunctionSchema.init),
      structArrayFields: schema.structArrayFields.map(MilvusStructArrayFieldSchema.init))
  }

  /// The schema as `schema.CollectionSchema` bytes, for CreateCollection.
  func serialized() throws(MilvusError) -> [UInt8] {
    try serializedBytes(
      of: ProtoCollectionSchema.with {
        $0.name = name
        $0.description_p = description
        $0.autoID = autoID
        $0.fields = fields.map(ProtoFieldSchema.init)
        $0.enableDynamicField = enableDynamicField
        $0.properties = properties.map(ProtoKeyValuePair.init)
        $0.functions = functions.map(ProtoFunctionSchema.init)
        $0.structArrayFields = structArrayFields.map(ProtoStructArrayFieldSchema.init)
      })
  }
}

extension MilvusFieldSchema {
  init(_ field: ProtoFieldSchema) {
    self.init(
      fieldID: field.fieldID, name: field.name, isPrimaryKey: field.isPrimaryKey, description: field.description_p,
      dataType: MilvusDataType(rawValue: field.dataType), typeParams: field.typeParams.map(MilvusKeyValue.init),
      indexParams: field.indexParams.map(MilvusKeyValue.init), autoID: field.autoID, state: field.state,
      elementType: MilvusDataType(rawValue: field.elementType),
      defaultValue: field.hasDefaultValue ? [UInt8](field.defaultValue) : nil, isDynamic: field.isDynamic,
      isPartitionKey: field.isPartitionKey, isClusteringKey: field.isClusteringKey, nullable: field.nullable,
      isFunctionOutput: field.isFunctionOutput)
  }

  /// The field as `schema.FieldSchema` bytes, for AddCollectionField.
  func serialized() throws(MilvusError) -> [UInt8] {
    try serializedBytes(of: ProtoFieldSchema(self))
  }
}

extension ProtoFieldSchema {
  init(_ field: MilvusFieldSchema) {
    self = .with {
      $0.fieldID = field.fieldID
      $0.name = field.name
      $0.isPrimaryKey = field.isPrimaryKey
      $0.description_p = field.description
      $0.dataType = field.dataType.rawValue
      $0.typeParams = field.typeParams.map(ProtoKeyValuePair.init)
      $0.indexParams = field.indexParams.map(ProtoKeyValuePair.init)
      $0.autoID = field.autoID
      $0.state = field.state
      $0.elementType = field.elementType.rawValue
      if let defaultValue = field.defaultValue { $0.defaultValue = Data(defaultValue) }
      $0.isDynamic = field.isDynamic
      $0.isPartitionKey = field.isPartitionKey
      $0.isClusteringKey = field.isClusteringKey
      $0.nullable = field.nullable
      $0.isFunctionOutput = field.isFunctionOutput
    }
  }
}

extension MilvusFunctionSchema {
  init(_ function: ProtoFunctionSchema) {
    self.init(
      name: function.name, id: function.id, description: function.description_p, type: function.type,
      inputFieldNames: function.inputFieldNames, inputFieldIDs: function.inputFieldIds,
      outputFieldNames: function.outputFieldNames, outputFieldIDs: function.outputFieldIds,
      params: function.params.map(MilvusKeyValue.init))
  }
}

extension ProtoFunctionSchema {
  init(_ function: MilvusFunctionSchema) {
    self = .with {
      $0.name = function.name
      $0.id = function.id
      $0.description_p = function.description
      $0.type = function.type
      $0.inputFieldNames = function.inputFieldNames
      $0.inputFieldIds = function.inputFieldIDs
      $0.outputFieldNames = function.outputFieldNames
      $0.outputFieldIds = function.outputFieldIDs
      $0.params = function.params.map(ProtoKeyValuePair.init)
    }
  }
}

extension MilvusStructArrayFieldSchema {
  init(_ field: ProtoStructArrayFieldSchema) {
    self.init(
      fieldID: field.fieldID, name: field.name, description: field.description_p,
      fields: field.fields.map(MilvusFieldSchema.init), typeParams: field.typeParams.map(MilvusKeyValue.init))
  }
}

extension ProtoStructArrayFieldSchema {
  init(_ field: MilvusStructArrayFieldSchema) {
    self = .with {
      $0.fieldID = field.fieldID
      $0.name = field.name
      $0.description_p = field.description
      $0.fields = field.fields.map(ProtoFieldSchema.init)
      $0.typeParams = field.typeParams.map(ProtoKeyValuePair.init)
    }
  }
}
