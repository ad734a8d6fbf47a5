// Finds configuration files: one file is one store, a folder is one store for each file in it.

/// Loads the configurations of stores.
///
/// One environment and one set of `--set` options apply to every file of a folder. That is the official behaviour, and
/// a trap with several stores: each store whose setting the environment changes carries a warning.
public struct ConfigurationLoader: Sendable {
  /// The path that is meant when the user gives none.
  public static let defaultPath = "backup.yaml"

  private let environment: [String: String]
  private let overrides: ConfigurationOverrides

  /// Makes a loader which reads settings from these sources before the files.
  public init(environment: [String: String], overrides: ConfigurationOverrides = .none) {
    self.environment = environment
    self.overrides = overrides
  }

  /// Loads all stores of a file or a folder, sorted by name.
  ///
  /// Of a folder all files named `*.yaml` or `*.yml` are read, hidden ones excepted. A path that does not exist is also
  /// looked for as `$MILVUSCONF/<last element>` and `./configs/<last element>`.
  ///
  /// - Throws: a ``ConfigurationError`` if there is nothing to load, if two files name one store, or if any is wrong.
  public func stores(at path: String) throws(ConfigurationError) -> [StoreConfiguration] {
    let found = try locate(path)
    guard found.kind == .folder else { return [try store(inFile: found.path)] }
    let files = try storeFiles(inFolder: found.path)
    var stores: [StoreConfiguration] = []
    for file in files { stores.append(try store(inFile: file)) }
    if stores.count > 1 {
      for index in stores.indices { stores[index].warnings += sharedEnvironmentWarnings(stores[index]) }
    }
    return stores.sorted { $0.name < $1.name }
  }

  /// Loads the one store of a file, or of a folder that holds exactly one.
  ///
  /// - Throws: a ``ConfigurationError`` as ``stores(at:)`` does, and one naming all stores if there are several.
  public func store(at path: String = Self.defaultPath) throws(ConfigurationError) -> StoreConfiguration {
    let found = try locate(path)
    guard found.kind == .folder else { return try store(inFile: found.path) }
    let files = try storeFiles(inFolder: found.path)
    guard files.count == 1 else {
      var names: [String] = []
      for file in files { names.append(try StoreName.name(ofFile: file)) }
      throw ConfigurationError(
        file: found.path,
        "the folder holds \(files.count) stores: \(names.joined(separator: ", ")). Name the file of one of them.")
    }
    return try store(inFile: files[0])
  }

  private func store(inFile path: String) throws(ConfigurationError) -> StoreConfiguration {
    try StoreConfiguration(
      yaml: try ConfigurationFiles.contents(ofFile: path), file: path, environment: environment, overrides: overrides)
  }

  private func locate(_ path: String) throws(ConfigurationError) -> (path: String, kind: ConfigurationFiles.Kind) {
    var candidates = [path]
    if let base = path.split(separator: "/").last {
      if let folder = environment["MILVUSCONF"], !folder.isEmpty { candidates.append("\(folder)/\(base)") }
      candidates.append("./configs/\(base)")
    }
    for candidate in candidates {
      if let kind = try ConfigurationFiles.kind(of: candidate) { return (candidate, kind) }
    }
    throw ConfigurationError(
      file: path, "there is no such file or folder. Looked for: \(candidates.joined(separator: ", ")).")
  }

  private func storeFiles(inFolder folder: String) throws(ConfigurationError) -> [String] {
    var fileOfStore: [String: String] = [:]
    var paths: [String] = []
    for name in try ConfigurationFiles.names(inFolder: folder).sorted() {
      guard !name.hasPrefix("."), let store = StoreName.withoutExtension(name) else { continue }
      let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
      guard try ConfigurationFiles.kind(of: path) != .folder else { continue }
      if let other = fileOfStore.updateValue(name, forKey: store) {
        throw ConfigurationError(
          file: folder, "\(other) and \(name) both describe the store \(store). Rename or remove one of them.")
      }
      paths.append(path)
    }
    guard !paths.isEmpty else {
      throw ConfigurationError(
        file: folder, "the folder holds no configuration: no file in it is named *.yaml or *.yml.")
    }
    return paths
  }

  private func sharedEnvironmentWarnings(_ store: StoreConfiguration) -> [String] {
    store.settings.compactMap { setting in
      guard case .environment(let name) = setting.origin else { return nil }
      return "\(store.file): \(setting.key) is taken from the environment variable \(name), as for all other stores."
    }
  }
}
