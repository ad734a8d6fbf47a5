// What the tests of this module share.

import Configuration
import Foundation

/// Reads a configuration of the file `configs/store.yaml`.
func configuration(
  _ yaml: String, environment: [String: String] = [:], set: [String] = [], file: String = "configs/store.yaml"
) throws -> StoreConfiguration {
  try StoreConfiguration(
    yaml: yaml, file: file, environment: environment, overrides: try ConfigurationOverrides(set))
}

/// The message of the error that `body` throws.
func sentence(_ body: () throws -> some Any) -> String {
  do {
    return "no error: \(try body())"
  } catch {
    return "\(error)"
  }
}

/// A folder that is removed when the test ends.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "configuration-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let file = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    return file
  }
}
