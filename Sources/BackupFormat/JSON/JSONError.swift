// Where and why a JSON text could not be read.
//
// The path is collected while the error travels outwards, so that reading without errors costs nothing for it.

/// A JSON text that is malformed, or whose values do not fit the message.
struct JSONError: Error, Hashable {
  /// Offset of the byte where the problem was noticed.
  let offset: Int
  /// What is wrong, as the second half of a sentence.
  let problem: String
  /// Names and list positions from the outermost to the place of the problem, such as `fields[0].name`.
  private(set) var path = ""

  init(at offset: Int, _ problem: String) {
    self.offset = offset
    self.problem = problem
  }

  /// The same error, seen from the message which has the value under `name`.
  func within(_ name: StaticString) -> JSONError {
    within("\(name)")
  }

  /// The same error, seen from the map which has the value under `key`.
  func within(_ key: String) -> JSONError {
    var error = self
    error.path = path.isEmpty || path.hasPrefix("[") ? key + path : "\(key).\(path)"
    return error
  }

  /// The same error, seen from the list which has the value at `index`.
  func within(index: Int) -> JSONError {
    var error = self
    error.path = path.isEmpty || path.hasPrefix("[") ? "[\(index)]\(path)" : "[\(index)].\(path)"
    return error
  }
}

extension JSONError: CustomStringConvertible {
  var description: String {
    path.isEmpty ? "\(problem) (byte \(offset))" : "\(path): \(problem) (byte \(offset))"
  }
}
