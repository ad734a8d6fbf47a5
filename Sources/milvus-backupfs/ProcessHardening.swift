// Keeps secrets out of places where other programs or people look: core files and the list of processes.

import Glibc

enum ProcessHardening {
  /// Parts of `--set` keys, lower case, whose values must not stay visible.
  private static let secretWords = ["secret", "password", "token", "accesskey", "access_key", "apikey"]

  /// Forbids core files and overwrites secret values in the argument vector, once they are parsed into copies.
  static func apply() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    // The copies that commands are parsed from are made here, before the originals are overwritten.
    _ = CommandLine.arguments
    let arguments = CommandLine.unsafeArgv
    for position in 1..<max(1, Int(CommandLine.argc)) {
      guard let argument = arguments[position] else { continue }
      let text = String(cString: argument)
      let isValue = position > 1 && arguments[position - 1].map { String(cString: $0) } == "--set"
      guard isValue || text.hasPrefix("--set="), secretWords.contains(where: text.lowercased().contains) else {
        continue
      }
      mask(argument)
    }
  }

  /// Overwrites what follows each `=` of an assignment, in place.
  private static func mask(_ argument: UnsafeMutablePointer<CChar>) {
    var isValue = false
    var position = strncmp(argument, "--set=", 6) == 0 ? 6 : 0
    while argument[position] != 0 {
      if isValue { argument[position] = CChar(UInt8(ascii: "*")) }
      if argument[position] == CChar(UInt8(ascii: "=")) { isValue = true }
      position += 1
    }
  }
}
