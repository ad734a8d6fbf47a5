// A line written to a control file: words as a shell would split them, read with the command line's own grammar.

import ArgumentParser
import BackupEngine

enum ControlLine {
  /// Why a line was not understood.
  struct Malformed: Error {
    var message: String
  }

  /// Splits a line into words; quotes keep blanks, a backslash keeps the next character.
  static func words(_ line: String) throws(Malformed) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in line {
      if isEscaped {
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
        word = word ?? ""
      } else if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character.isWhitespace {
        if let finished = word { words.append(finished) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil, !isEscaped else { throw Malformed(message: "The line ends inside a quotation.") }
    if let finished = word { words.append(finished) }
    return words
  }

  /// What a line asks for.
  enum Order<Request> {
    /// To start a job; and, if `waits`, to let the writer wait for its end.
    case start(Request, waits: Bool)
    /// To cancel the job that runs.
    case cancel
  }

  /// The words of a line that are orders to the control file, not options of a command: `--wait`, and `--cancel` alone.
  private static func order<Request>(
    _ line: String, _ read: ([String]) throws(Malformed) -> Request
  ) throws(Malformed) -> Order<Request> {
    var words = try words(line)
    if words == ["--cancel"] { return .cancel }
    let waits = words.contains("--wait")
    words.removeAll { $0 == "--wait" }
    return .start(try read(words), waits: waits)
  }

  /// Reads a line of `restore` as an order.
  static func restoreOrder(_ line: String, backup: String) throws(Malformed) -> Order<RestoreRequest> {
    try order(line) { words throws(Malformed) in try restore(words, backup: backup) }
  }

  /// Reads a line of `create` as an order.
  static func createOrder(_ line: String) throws(Malformed) -> Order<CreateRequest> {
    try order(line) { words throws(Malformed) in try create(words) }
  }

  /// Reads a line of `restore`: a bare word is the new name of the backup's only collection, options are those of the
  /// command `restore`.
  static func restore(_ line: String, backup: String) throws(Malformed) -> RestoreRequest {
    try restore(try words(line), backup: backup)
  }

  private static func restore(_ words: [String], backup: String) throws(Malformed) -> RestoreRequest {
    var words = words
    guard let first = words.first else {
      throw Malformed(
        message: "The line is empty. Write the new name of the collection, or options such as -s _bak.")
    }
    var newName: String?
    if !first.hasPrefix("-") { newName = words.removeFirst() }
    let options: RestoreOptions = try parse(words)
    return try understood { try options.request(backup: backup, newName: newName) }
  }

  /// Reads a line of `create`: options are those of the command `create`.
  static func create(_ line: String) throws(Malformed) -> CreateRequest {
    try create(try words(line))
  }

  private static func create(_ words: [String]) throws(Malformed) -> CreateRequest {
    guard !words.isEmpty else {
      throw Malformed(message: "The line is empty. Write options such as -c coll -n my_backup.")
    }
    let options: CreateOptions = try parse(words)
    return try understood { try options.request() }
  }

  /// Reads a line of `verify`: nothing, or the options of the command `verify`.
  static func verify(_ line: String, backup: String) throws(Malformed) -> VerifyRequest {
    let options: VerifyOptions = try parse(try words(line))
    return VerifyRequest(backup: backup, deep: options.deep)
  }

  private static func parse<Options: ParsableArguments>(_ words: [String]) throws(Malformed) -> Options {
    guard !words.contains(where: { ["-h", "--help", "--version"].contains($0) }) else {
      throw Malformed(
        message: "Help is on the command line: milvus-backupfs restore --help, milvus-backupfs create --help.")
    }
    do {
      return try Options.parse(words)
    } catch {
      throw Malformed(message: firstLine(Options.message(for: error)))
    }
  }

  private static func understood<Value>(_ body: () throws -> Value) throws(Malformed) -> Value {
    do {
      return try body()
    } catch {
      throw Malformed(message: "\(error)")
    }
  }

  private static func firstLine(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "The line cannot be understood."
    return line.hasSuffix(".") ? line : line + "."
  }
}
