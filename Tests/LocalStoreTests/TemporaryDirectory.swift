import Glibc
import LocalStore
import ObjectStore
import Testing

/// A directory of a test, removed with all it holds.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/local-store-tests-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw ShellFailure(description: String(cString: strerror(errno))) }
    path = String(cString: made)
  }

  deinit { _ = try? shell("rm -rf '\(path)'") }

  var store: LocalStore { LocalStore(root: path, rootSetting: "minio.backupRootPath") }

  /// All that is there, hidden files and directories included, as paths below this directory.
  func everything() throws -> [String] {
    try shell("cd '\(path)' && find . -mindepth 1 -printf '%P%y\\n' | sort").split(separator: "\n").map(String.init)
  }
}

struct ShellFailure: Error, CustomStringConvertible {
  let description: String
}

/// Runs a command line and returns what it prints.
@discardableResult
func shell(_ command: String) throws -> String {
  guard let stream = popen("{ \(command)\n} 2>&1", "r") else { throw ShellFailure(description: "popen fails") }
  var output: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = fread(&buffer, 1, buffer.count, stream)
    guard count > 0 else { break }
    output += buffer[..<count]
  }
  let text = String(decoding: output, as: UTF8.self)
  let status = pclose(stream)
  guard status == 0 else { throw ShellFailure(description: "\(command): status \(status): \(text)") }
  return text
}

/// The `StoreError` that a call throws.
func storeError<Value>(_ call: () async throws -> Value) async -> StoreError? {
  do {
    _ = try await call()
    Issue.record("no error was thrown")
    return nil
  } catch {
    if let error = error as? StoreError { return error }
    Issue.record("another error: \(error)")
    return nil
  }
}
