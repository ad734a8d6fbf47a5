// What a restore would do, for `--dry-run`: calls in their order, paths, rows, bytes.

import BackupFormat
import MilvusClient
import ObjectStore

extension RestorePlan {
  /// One line for each call or group of copies; lines of a collection are indented.
  var lines: [String] {
    let bundles = collections.flatMap(\.bundles)
    var lines = [
      """
      backup \(backup) in \(context.backups.location) into Milvus \(serverVersion) at \(context.milvus.address): \
      \(collections.count.counted("collection")), \(Self.amount(bundles))
      """
    ]
    if let accessControl {
      lines.append(
        accessControl.isEmpty
          ? "users, roles and grants: Milvus has all of them"
          : """
          RestoreRBAC \(accessControl.users.count.counted("user")), \(accessControl.roles.count.counted("role")), \
          \(accessControl.grants.count.counted("grant")), \(accessControl.groups.count.counted("privilege group"))
          """)
    }
    for database in newDatabases {
      let properties = database.properties.map { "\($0.key)=\($0.value)" }.listed(10)
      lines.append("CreateDatabase \(database.name)\(properties.isEmpty ? "" : " with \(properties)")")
    }
    for collection in collections {
      lines.append("\(collection.source.qualifiedName) as \(collection.target): \(Self.amount(collection.bundles))")
      lines += steps(collection).map { "  \($0)" }
    }
    return lines
  }

  private static func amount(_ bundles: [ImportBundle]) -> String {
    let rows = bundles.reduce(0) { $0 + $1.rows }
    let deletes = bundles.contains { $0.units.contains(where: \.hasDeltas) } ? " before deletes" : ""
    return """
      \(rows.counted("row"))\(deletes), \(bundles.reduce(0) { $0 + $1.objects }.counted("object")), \
      \(bundles.reduce(0) { $0 + $1.bytes }.counted("byte"))
      """
  }

  private func steps(_ collection: Collection) -> [String] {
    let source = collection.source
    var steps: [String] = []
    switch collection.disposition {
    case .finished: steps.append("nothing: an earlier restore has finished it")
    case .goOn: steps.append("go on where an earlier restore stopped")
    case .useExisting: steps.append("use the existing collection")
    case .replace(let aliases):
      steps += aliases.map { "DropAlias \($0)" }
      steps.append("DropCollection \(collection.target)")
      fallthrough
    case .create:
      let fields = source.schema?.fields.filter { !$0.isDynamic }.count ?? 0
      steps.append(
        "CreateCollection \(collection.target): \(fields.counted("field")), \(source.shardsNum.counted("shard"))")
    }
    if collection.disposition != .finished {
      let partitions = source.partitionBackups.map(\.partitionName)
      steps.append("partitions: \(partitions.listed(8))")
      if request.dropExistingIndex, collection.disposition == .useExisting { steps.append("DropIndex of all indexes") }
      if request.rebuildIndex {
        steps += source.indexInfos.map { "CreateIndex \($0.indexName) on \($0.fieldName) (\($0.indexType))" }
      }
      for bundle in collection.bundles where record[collection.target]?.units[bundle.name]?.rows == nil {
        steps += imports(bundle)
      }
    }
    if request.restoresAliases { steps += source.aliases.map { "CreateAlias \($0)" } }
    if request.restoresLoadState {
      switch LoadPlan(source) {
      case .nothing: break
      case .collection: steps.append("LoadCollection")
      case .partitions(let names): steps.append("LoadPartitions \(names.listed(8))")
      }
    }
    return steps
  }

  private func imports(_ bundle: ImportBundle) -> [String] {
    let isInPlace = Self.isInPlace(context)
    let layout = BackupLayout(rootPath: context.backupRoot, backupName: backup)
    let base =
      isInPlace ? layout.directory : ObjectPath.join(context.milvusRoot, "restore-temp-ID") + "/N/"
    let paths = request.usesREST ? bundle.pathGroups.flatMap { $0 } : bundle.paths.filter { !$0.isEmpty }
    let what = bundle.partitionName.isEmpty ? "all partitions" : "partition \(bundle.partitionName)"
    let copy = isInPlace ? [] : ["copy \(Self.amount([bundle])) to \(base) in \(context.milvusObjects.location)"]
    let places = paths.map { "\(context.milvusImportPrefix)\(base)\($0)" }.listed(4)
    return copy + ["Import into \(what), \(Self.amount([bundle])): \(places)"]
  }
}
