// Which databases and collections of Milvus a filter means.

import BackupFormat
import MilvusClient

/// What a filter selects of what exists.
struct CollectionChoice: Sendable, Hashable {
  /// The databases, in order of their names.
  var databases: [String] = []
  /// The collections, in order of their names.
  var collections: [CollectionName] = []

  /// Looks up what exists and chooses.
  /// - Throws: `EngineError` `.notFound` naming the elements of the filter that nothing corresponds to.
  static func make(
    _ filter: CollectionFilter, _ service: any MilvusService, at address: String
  ) async throws -> CollectionChoice {
    let existing = try await service.databases().map(\.name).sorted()
    var choice = CollectionChoice()
    choice.databases = existing.filter(filter.selects(database:))
    var collections: [CollectionName] = []
    for database in choice.databases {
      let names = try await service.collections(in: database).map(\.name).sorted()
      collections += names.map { CollectionName(database: database, collection: $0) }
    }
    let unmatched = filter.unmatched(among: collections, databases: existing)
    guard unmatched.isEmpty else {
      throw EngineError(
        .notFound,
        """
        Milvus at \(address) has no \(unmatched.listed()). Aliases do not count. \
        It has these collections there: \(collections.isEmpty ? "none" : collections.listed(10)).
        """)
    }
    choice.collections = collections.filter(filter.selects)
    return choice
  }
}
