// The full name of a collection.

/// The name of a collection together with that of its database.
public struct CollectionName: Hashable, Sendable, Codable {
  /// Name of the database every server has, meant when none is named.
  public static let defaultDatabase = "default"

  /// Name of the database.
  public var database: String
  /// Name of the collection.
  public var collection: String

  /// Makes a name.
  public init(database: String = Self.defaultDatabase, collection: String) {
    self.database = database
    self.collection = collection
  }
}

extension CollectionName: Comparable {
  /// Orders by database, then by collection.
  public static func < (left: CollectionName, right: CollectionName) -> Bool {
    left.database == right.database ? left.collection < right.collection : left.database < right.database
  }
}

extension CollectionName: CustomStringConvertible {
  /// The name in the form `database.collection`.
  public var description: String { "\(database).\(collection)" }
}
