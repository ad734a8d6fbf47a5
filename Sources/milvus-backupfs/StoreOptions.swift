// Which configuration a command works with: the same options for all of them.

import ArgumentParser
import Configuration
import Glibc

/// `--set`, for every command that reads configuration.
struct OverrideOptions: ParsableArguments {
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Override a setting, such as minio.port=9000; may be repeated.", valueName: "key=value"))
  var overrides: [String] = []

  /// A loader that knows the overrides and the environment.
  func loader() throws -> ConfigurationLoader {
    do {
      return ConfigurationLoader(environment: currentEnvironment(), overrides: try ConfigurationOverrides(overrides))
    } catch {
      throw CommandFailure(error)
    }
  }
}

/// `--config` and `--set`, for commands that work on one store.
struct StoreOptions: ParsableArguments {
  @Option(name: .long, help: "The store's configuration file: the official backup.yaml.")
  var config: String = ConfigurationLoader.defaultPath

  @OptionGroup var overrides: OverrideOptions

  /// Loads the store, printing its warnings.
  func load() throws -> StoreConfiguration {
    let loader = try overrides.loader()
    do {
      let store = try loader.store(at: config)
      for warning in store.warnings { printError("milvus-backupfs: warning: \(warning)") }
      return store
    } catch {
      throw CommandFailure(error)
    }
  }
}

/// The environment as a dictionary.
func currentEnvironment() -> [String: String] {
  var values: [String: String] = [:]
  var entry = environ
  while let pointer = entry.pointee {
    let text = String(cString: pointer)
    if let equals = text.firstIndex(of: "=") {
      values[String(text[..<equals])] = String(text[text.index(after: equals)...])
    }
    entry += 1
  }
  return values
}
