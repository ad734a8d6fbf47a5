// Calls about collections and their aliases.

internal import FoundationEssentials
internal import SwiftProtobuf

extension MilvusClient {
  /// The collections of a database, in the server's order.
  public func collections(in database: String) async throws(MilvusError) -> [CollectionSummary] {
    let response: ProtoShowCollectionsResponse = try await call(
      "ShowCollections", ProtoShowCollectionsRequest(), in: database, about: Self.name(database: database))
    return response.collectionNames.enumerated().map { index, name in
      CollectionSummary(
        name: name, id: response.collectionIds.element(at: index) ?? 0,
        createdTimestamp: response.createdTimestamps.element(at: index) ?? 0)
    }
  }

  /// Whether a collection (or an alias of one) of this name exists.
  public func hasCollection(_ name: String, in database: String) async throws(MilvusError) -> Bool {
    do {
      let response: ProtoBoolResponse = try await call(
        "HasCollection", ProtoHasCollectionRequest.with { $0.collectionName = name }, in: database,
        about: Self.name(collection: name, database))
      return response.value
    } catch  where error.code == .notFound && !error.isAboutDatabase {
      return false
    }
  }

  /// Describes a collection.
  /// - Throws: `notFound` if there is no such collection or database.
  public func describeCollection(_ name: String, in database: String) async throws(MilvusError)
    -> CollectionDescription
  {
    let response: ProtoDescribeCollectionResponse = try await call(
      "DescribeCollection", ProtoDescribeCollectionRequest.with { $0.collectionName = name }, in: database,
      about: Self.name(collection: name, database))
    return CollectionDescription(response, askedFor: name, in: database)
  }

  /// Creates a collection, named as its schema says.
  ///
  /// Milvus takes a repetition with the same schema for success; with another one it answers an error.
  /// - Throws: `notFound` if there is no such database, `alreadyExists`, `invalidArgument`, `server`.
  public func createCollection(_ spec: CollectionSpec, in database: String) async throws(MilvusError) {
    let object = Self.name(collection: spec.schema.name, database)
    let serializedSchema = Data(try spec.schema.serialized())
    let request = ProtoCreateCollectionRequest.with {
      $0.collectionName = spec.schema.name
      $0.schema = serializedSchema
      $0.shardsNum = spec.shardsNum
      $0.consistencyLevel = spec.consistencyLevel.rawValue
      $0.properties = spec.properties.map(ProtoKeyValuePair.init)
      $0.numPartitions = spec.numPartitions
    }
    let _: ProtoStatus = try await call("CreateCollection", request, in: database, about: object, kind: .long)
  }

  /// Removes a collection with its data. Removing one that does not exist is no error on current servers.
  public func dropCollection(_ name: String, in database: String) async throws(MilvusError) {
    let request = ProtoDropCollectionRequest.with { $0.collectionName = name }
    let _: ProtoStatus = try await call(
      "DropCollection", request, in: database, about: Self.name(collection: name, database), kind: .long)
  }

  /// Sets properties of a collection, and removes others (removal: 2.5 and later).
  public func alterCollection(
    _ name: String, in database: String, properties: [MilvusKeyValue], deleteKeys: [String] = []
  ) async throws(MilvusError) {
    let request = ProtoAlterCollectionRequest.with {
      $0.collectionName = name
      $0.properties = properties.map(ProtoKeyValuePair.init)
      $0.deleteKeys = deleteKeys
    }
    let _: ProtoStatus = try await call(
      "AlterCollection", request, in: database, about: Self.name(collection: name, database), kind: .change)
  }

  /// Adds a field to a collection (2.6 and later).
  public func addCollectionField(
    _ field: MilvusFieldSchema, to collection: String, in database: String
  ) async throws(MilvusError) {
    let serializedField = Data(try field.serialized())
    let request = ProtoAddCollectionFieldRequest.with {
      $0.collectionName = collection
      $0.schema = serializedField
    }
    let _: ProtoStatus = try await call(
      "AddCollectionField", request, in: database, about: Self.name(collection: collection, database), kind: .change,
      repeatability: .ifNotCarriedOut)
  }

  /// Gives a collection another name.
  public func createAlias(
    _ alias: String, for collection: String, in database: String
  ) async throws(MilvusError) {
    let request = ProtoCreateAliasRequest.with {
      $0.collectionName = collection
      $0.alias = alias
    }
    let _: ProtoStatus = try await call(
      "CreateAlias", request, in: database,
      about: "alias \"\(alias)\" for \(Self.name(collection: collection, database))", kind: .change,
      repeatability: .ifNotCarriedOut)
  }

  /// The aliases of a collection.
  public func aliases(of collection: String, in database: String) async throws(MilvusError) -> [String] {
    let response: ProtoListAliasesResponse = try await call(
      "ListAliases", ProtoListAliasesRequest.with { $0.collectionName = collection }, in: database,
      about: Self.name(collection: collection, database))
    return response.aliases
  }

  /// Rows of a collection in flushed segments, before deletes are applied, as the server counts them.
  public func rowCount(of collection: String, in database: String) async throws(MilvusError) -> Int64 {
    let request = ProtoGetCollectionStatisticsRequest.with { $0.collectionName = collection }
    let object = Self.name(collection: collection, database)
    let response: ProtoGetCollectionStatisticsResponse = try await call(
      "GetCollectionStatistics", request, in: database, about: object)
    return try rowCount(in: response.stats, call: "GetCollectionStatistics", object: object)
  }

  /// Rows of a partition, as `rowCount(of:in:)`.
  public func rowCount(
    ofPartition partition: String, of collection: String, in database: String
  ) async throws(MilvusError) -> Int64 {
    let request = ProtoGetPartitionStatisticsRequest.with {
      $0.collectionName = collection
      $0.partitionName = partition
    }
    let object = Self.name(partition: partition, collection, database)
    let response: ProtoGetPartitionStatisticsResponse = try await call(
      "GetPartitionStatistics", request, in: database, about: object)
    return try rowCount(in: response.stats, call: "GetPartitionStatistics", object: object)
  }

  private func rowCount(
    in stats: [ProtoKeyValuePair], call: String, object: String
  ) throws(MilvusError) -> Int64 {
    guard let count = stats.first(where: { $0.key == "row_count" }).flatMap({ Int64($0.value) }) else {
      throw malformedAnswer("the answer has no row count", call: call, object: object)
    }
    return count
  }
}
